"""Where networks run away from the processor, shared by several analyses whose calls are joined."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.runtime.onnx_graph import INPUT_NAME
from mien.runtime.sessions import create_session, device_of, resolve_device

WAIT_S = 0.0002
"""How long a call waits for those of other analyses, which are busy elsewhere most of the time."""
MOST_JOINED = 16
"""Calls that are joined at most: their memory is bounded."""


@dataclass(eq=False, slots=True)
class _Call:
    """One network, the windows that one analysis wants to put through it, and what came of it."""

    session: Any
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32] | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.outputs is not None or self.error is not None


def place_of(device: str | Accelerator, threads: int = 1) -> Accelerator | None:
    """Where CEN patch experts run: on an accelerator, or, None, on the processor by mien's own kernel.

    Raises
    ------
    ProviderError
        There is no such device.
    """
    if isinstance(device, Accelerator):
        return device
    return None if resolve_device(device) == "cpu" else Accelerator(device, threads=threads)


class Accelerator:
    """A device, the networks that have been opened on it, and a queue in front of them.

    Calls that reach the same network while another call is running, or within `WAIT_S`, are put together
    along the windows and run as one. An analysis that is alone never waits. What a window gives does not
    depend on the windows beside it, but for the order in which a device adds up its products.

    Parameters
    ----------
    device
        One of `mien.runtime.sessions.DEVICES`.
    threads
        Threads inside one product, where the device is the processor.
    wait_s
        How long a call waits for others.

    Attributes
    ----------
    calls, runs : int
        How many calls there were, and how many times a network ran for them.

    Raises
    ------
    ProviderError
        There is no such device.
    """

    def __init__(self, device: str, *, threads: int = 1, wait_s: float = WAIT_S) -> None:
        self.device = resolve_device(device)
        self.calls = self.runs = 0
        self._threads = threads
        # TensorRT builds an engine, which takes minutes, for sizes that it has not seen.
        self._most = 1 if self.device == "tensorrt" else MOST_JOINED
        self._wait_s = wait_s if self._most > 1 else 0.0
        self._sessions: dict[Hashable, Any] = {}
        self._opening = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._led = False
        self._members = 0

    def open(self, key: Hashable, model: Callable[[], bytes]) -> Any:
        """Open a network, once for everybody.

        Parameters
        ----------
        key
            What tells it from other networks.
        model
            Gives it as serialised ONNX.

        Raises
        ------
        ProviderError
            It can't run on the device.
        """
        with self._opening:
            if key not in self._sessions:
                self._sessions[key] = create_session(model(), device=self.device, threads=self._threads)
            return self._sessions[key]

    @property
    def used(self) -> str:
        """Device on which the opened networks run, as ONNX Runtime says."""
        sessions = list(self._sessions.values())
        return device_of(sessions[0]) if sessions else self.device

    @contextmanager
    def member(self) -> Iterator[None]:
        """Take part in joined calls: nobody is waited for who does not."""
        self._join(1)
        try:
            yield
        finally:
            self._join(-1)

    @contextmanager
    def absent(self) -> Iterator[None]:
        """Let others take one's place meanwhile, if one takes part at all."""
        change = 1 if self._members else 0
        self._join(-change)
        try:
            yield
        finally:
            self._join(change)

    def _join(self, change: int) -> None:
        with self._changed:
            self._members += change
            self._changed.notify_all()

    def run(self, session: Any, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put windows through networks that stand side by side.

        Parameters
        ----------
        session
            As `open` gives it: E networks, batched.
        inputs
            (E, rows, numbers) float32; not changed before the call returns.

        Returns
        -------
        ndarray
            (E, rows, outputs) float32.
        """
        call = _Call(session, inputs)
        with self._changed:
            self._waiting.append(call)
            self._changed.notify_all()
            self._changed.wait_for(lambda: call.done or not self._led)
            if not call.done:
                self._led = True
                self._changed.wait_for(lambda: len(self._waiting) >= self._members, self._wait_s)
                taken, self._waiting = self._waiting, []
        if not call.done:
            self._lead(taken)
        if call.error is not None:
            raise call.error
        assert call.outputs is not None
        return call.outputs

    def _lead(self, taken: list[_Call]) -> None:
        """Run what has gathered, each network once, and let the next one lead."""
        try:
            for group in _groups(taken, self._most):
                self._run_joined(group)
                with self._changed:
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._led = False
                self._changed.notify_all()

    def _run_joined(self, group: list[_Call]) -> None:
        """Run calls of one network as one; if that fails, each by itself, so that they fail by themselves."""
        self.calls += len(group)
        if len(group) > 1:
            joined = np.concatenate([call.inputs for call in group], axis=1)
            ends = np.cumsum([call.inputs.shape[1] for call in group])[:-1]
            try:
                outputs = group[0].session.run(None, {INPUT_NAME: joined})[0]
            except Exception:  # ONNX Runtime's errors have no common base.
                self.runs += 1
            else:
                self.runs += 1
                for call, part in zip(group, np.split(outputs, ends, axis=1), strict=True):
                    call.outputs = part
                return
        for call in group:
            self.runs += 1
            try:
                call.outputs = call.session.run(None, {INPUT_NAME: call.inputs})[0]
            except BaseException as error:
                call.error = error


def _groups(calls: list[_Call], most: int) -> Iterator[list[_Call]]:
    """Calls of the same network, in the order of arrival, no more than ``most``."""
    by_session: dict[int, list[_Call]] = {}
    for call in calls:
        by_session.setdefault(id(call.session), []).append(call)
    for group in by_session.values():
        for first in range(0, len(group), most):
            yield group[first : first + most]
