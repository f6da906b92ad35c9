"""Readers of the original's files, written from docs/algorithms/output-table.md, and without mien."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def read_hog_records(path: Path) -> list[tuple[float, np.ndarray]]:
    """Flag and (rows, columns, channels) of every record of a .hog file (docs/algorithms/output-table.md)."""
    data, at, records = path.read_bytes(), 0, []
    while at < len(data):
        columns, rows, channels = struct.unpack_from("<iii", data, at)
        (flag,) = struct.unpack_from("<f", data, at + 12)
        count = rows * columns * channels
        values = np.array(struct.unpack_from(f"<{count}f", data, at + 16), np.float32)
        records.append((flag, values.reshape(rows, columns, channels)))
        at += 16 + 4 * count
    assert at == len(data)
    return records


def read_bmp(path: Path) -> np.ndarray:
    """Pixels of an uncompressed BMP file: (H, W, 3) in the order blue, green, red, or (H, W)."""
    data = path.read_bytes()
    magic, size, start = struct.unpack_from("<2sI4xI", data, 0)
    header, width, height, planes, depth, compression = struct.unpack_from("<IiiHHI", data, 14)
    assert (magic, size, header, planes, compression) == (b"BM", len(data), 40, 1, 0)
    stride = (width * depth // 8 + 3) // 4 * 4
    rows = np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride)[::-1]
    if depth == 8:
        palette = np.frombuffer(data, np.uint8, 1024, 54).reshape(256, 4)
        assert (palette[:, :3] == np.arange(256)[:, None]).all()
        return rows[:, :width]
    assert depth == 24
    return rows[:, : 3 * width].reshape(height, width, 3)


def read_aligned_folder(folder: Path) -> dict[str, np.ndarray]:
    """Pictures of a folder of aligned faces by name."""
    return {path.name: read_bmp(path) for path in sorted(folder.iterdir())}
