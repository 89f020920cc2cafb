"""Small inputs for command-line tests, written with NumPy and h5py only."""

import struct

import h5py
import numpy as np


def balls(shape=(40, 44, 48), radius=6.0, grey=(60, 180), cracked=True):
    """Grey volume of balls on a grid, some with a slit through the middle; and their labels."""
    z, y, x = np.indices(shape, dtype=float)
    grid = np.full(shape, grey[0], dtype=float)
    labels = np.zeros(shape, dtype=np.uint32)
    step = 2 * radius + 3
    number = 0
    for cz in np.arange(step / 2, shape[0], step):
        for cy in np.arange(step / 2, shape[1], step):
            for cx in np.arange(step / 2, shape[2], step):
                number += 1
                inside = (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
                labels[inside] = number
                grid[inside] = grey[1]
                if cracked and number % 3 == 0:
                    grid[inside & (np.abs(x - cx) < 1.2) & (abs(y - cy) < 0.7 * radius)] = 0.4 * grey[0]
    return grid, labels


def write_npy(path, values):
    np.save(path, values)
    return path


def write_h5(path, **datasets):
    with h5py.File(path, "w") as f:
        for name, values in datasets.items():
            f[name] = values
    return path


def write_raw(path, values):
    path.write_bytes(np.ascontiguousarray(values).tobytes())
    return path


def write_tiff(path, pages, big_endian=False):
    """An uncompressed multi-page TIFF, one strip a page."""
    order = ">" if big_endian else "<"
    pages = [np.ascontiguousarray(p) for p in pages]
    out = bytearray((b"MM" if big_endian else b"II") + struct.pack(order + "HI", 42, 0))
    link = 4
    for page in pages:
        kind = {"u": 1, "i": 2, "f": 3}[page.dtype.kind]
        data = page.astype(page.dtype.newbyteorder(order)).tobytes()
        offset = len(out)
        out += data + b"\0" * (len(data) % 2)
        tags = [(256, 4, page.shape[1]), (257, 4, page.shape[0]), (258, 3, page.dtype.itemsize * 8), (259, 3, 1),
                (262, 3, 1), (273, 4, offset), (277, 3, 1), (278, 4, page.shape[0]), (279, 4, len(data)), (339, 3, kind)]
        out[link:link + 4] = struct.pack(order + "I", len(out))
        out += struct.pack(order + "H", len(tags))
        for tag, type_, value in tags:
            packed = struct.pack(order + "I", value) if type_ == 4 else struct.pack(order + "HH", value, 0)
            out += struct.pack(order + "HHI", tag, type_, 1) + packed
        link = len(out)
        out += b"\0\0\0\0"
    path.write_bytes(bytes(out))
    return path
