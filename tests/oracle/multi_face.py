"""Slow, obvious twin of the multi-face program's state: docs/algorithms/several-faces.md, step by step.

It knows nothing of landmarks: ``bounds(box)`` is the box of the landmarks that a fit from a box gives, which
then stay where they are; ``good(slot)`` says whether the fit of a slot in this frame is valid.
"""

from __future__ import annotations

SLOTS = 4


class MultiFace:
    def __init__(self, bounds):
        self.bounds = bounds
        self.active = [False] * SLOTS
        self.failures = [-1] * SLOTS
        self.box = [(0.0, 0.0, 0.0, 0.0)] * SLOTS
        self.c = 0

    def frame(self, find, good):
        dets = list(find()) if self.c % 8 == 0 and not all(self.active) else []  # 1
        for m in self.box:  # 2
            for det in list(reversed(dets)):
                shared = _intersection(m, det)
                union = m[2] * m[3] + det[2] * det[3] - 2 * shared
                if (shared / union if union else float(shared > 0)) > 0.5:
                    dets.remove(det)
        for k in range(SLOTS):  # 3
            if self.failures[k] > 4:
                self.active[k], self.failures[k], self.box[k] = False, -1, (0.0, 0.0, 0.0, 0.0)
            if not self.active[k] and dets:
                self.box[k], self.failures[k], self.active[k] = self.bounds(dets.pop(0)), -1, True
            if self.active[k]:
                self.failures[k] = -1 if good(k) else self.failures[k] + 1
        self.c += 1
        return [k for k in range(SLOTS) if self.active[k]]  # 4


def _intersection(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)
