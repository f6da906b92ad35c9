"""Several faces of a frame followed at once, so that an accelerator gets their windows in one call."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from mien.datatypes import FollowedFace, Frame
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.follower import LandmarkFollower


class JointFollower:
    """Follows faces in threads of their own.

    Parameters
    ----------
    followers
        One for each face that is fitted at the same time; all have the same models and accelerator.
    accelerator
        Where their patch experts run.
    """

    def __init__(self, followers: Sequence[LandmarkFollower], accelerator: Accelerator) -> None:
        self._followers = tuple(followers)
        self._accelerator = accelerator
        self._threads = ThreadPoolExecutor(len(followers), "mien-face")

    def follow_all(self, frame: Frame, faces: Sequence[FollowedFace]) -> list[FollowedFace]:
        """Fit faces of the frame before.

        Parameters
        ----------
        frame
            The frame.
        faces
            As a follower gave them.

        Returns
        -------
        list of FollowedFace
            What `LandmarkFollower.follow` gives for each, in the same order.
        """
        count = len(self._followers)
        shares = [faces[first::count] for first in range(min(count, len(faces)))]
        if len(shares) < 2:
            return [self._followers[0].follow(frame, face) for face in faces]

        def follow(
            follower: LandmarkFollower, share: Sequence[FollowedFace], place: ExitStack
        ) -> list[FollowedFace]:
            with place:
                return [follower.follow(frame, face) for face in share]

        found = list(faces)
        with self._accelerator.absent():
            # All take part before the first begins, or it would not wait for threads that are slow to start.
            places = [ExitStack() for _ in shares]
            for place in places:
                place.enter_context(self._accelerator.member())
            for first, share in enumerate(self._threads.map(follow, self._followers, shares, places)):
                found[first::count] = share
        return found
