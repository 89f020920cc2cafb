"""Small inputs for command-line tests, written with NumPy and h5py only."""

import itertools
import struct

import h5py
import numpy as np


def balls(shape=(40, 44, 48), radius=6.0, grey=(60, 180), cracked=True):
    """Grey volume of balls on a grid, some with a slit through the middle; and their labels."""
    grid = np.full(shape, grey[0], dtype=float)
    labels = np.zeros(shape, dtype=np.uint32)
    step = 2 * radius + 3
    number = 0
    for centre in itertools.product(*(np.arange(step / 2, size, step) for size in shape)):
        number += 1
        box = tuple(slice(max(0, int(c - radius)), int(c + radius) + 2) for c in centre)  # the rest is not touched
        z, y, x = (axis - c for axis, c in zip(np.ogrid[tuple(slice(b.start, min(b.stop, size)) for b, size in zip(box, shape))],
                                               centre))
        inside = z**2 + y**2 + x**2 <= radius**2
        labels[box][inside] = number
        grid[box][inside] = grey[1]
        if cracked and number % 3 == 0:
            grid[box][inside & (np.abs(x) < 1.2) & (np.abs(y) < 0.7 * radius)] = 0.4 * grey[0]
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


def write_study(folder, regression):
    """A study with every stage, each of which writes more than the few pages that a nearly full disk has left; its file."""
    grey, _ = balls()
    write_npy(folder / "grey.npy", np.tile(grey.astype("uint8"), (2, 2, 2)))
    (folder / "study.yaml").write_text(
        "name: small\noutput: out\nelectrodes:\n  - name: e1\n    volume: {path: grey.npy, voxel_size_um: 0.2}\n"
        "segmentation: {method: watershed, minimum_particle_um3: 0.1}\n"
        "latent: {dimensions: 3, restarts: 1, bootstraps: 20, permutations: 20, iterations: 20}\n"
        f"regression: {regression}\n"
        "statistics: {bootstraps: 10, permutations: 9}\nchemomechanics: {protocol: {cycles: 2}}\n"
        "figures: {which: [fig1b, damage_depth], formats: [svg]}\n")
    return folder / "study.yaml"
