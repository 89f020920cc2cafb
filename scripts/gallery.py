"""Usage: gallery.py PHANTOM_FOLDER MEASURED_TIFF PNG

Puts a measured slice (if the file is there), the synthetic one and its labels with cracks in red under each other.
"""

import pathlib
import struct
import sys
import zlib

import h5py
import numpy as np


def strip_of_tiff(path):
    """An uncompressed 8-bit TIFF of one strip."""
    data = path.read_bytes()
    order = ">" if data[:2] == b"MM" else "<"
    (directory,) = struct.unpack(order + "I", data[4:8])
    (entries,) = struct.unpack(order + "H", data[directory : directory + 2])
    tags = {}
    for i in range(entries):
        at = directory + 2 + 12 * i
        tag, kind = struct.unpack(order + "HH", data[at : at + 4])
        size, code = (2, "H") if kind == 3 else (4, "I")
        (tags[tag],) = struct.unpack(order + code, data[at + 8 : at + 8 + size])
    width, height, start = tags[256], tags[257], tags[273]
    return np.frombuffer(data[start : start + width * height], np.uint8).reshape(height, width)


def write_png(path, rgb):
    def chunk(name, payload):
        return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))

    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(rgb))
    header = struct.pack(">IIBBBBB", rgb.shape[1], rgb.shape[0], 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def middle_slice(folder, name):
    with h5py.File(folder / f"{name}.h5") as file:
        data = file[name]
        return data[:, data.shape[1] // 2, :]


def main():
    folder, measured, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    grey, labels, cracks = (middle_slice(folder, name) for name in ("volume", "labels", "cracks"))
    colours = np.random.default_rng(0).integers(60, 256, (int(labels.max()) + 1, 3), dtype=np.uint8)
    colours[0] = 0
    painted = colours[labels]
    painted[cracks > 0] = (255, 0, 0)
    panels = [np.repeat(grey[..., None], 3, axis=2), painted]
    if measured.exists():
        panels.insert(0, np.repeat(strip_of_tiff(measured)[..., None], 3, axis=2))
    write_png(out, np.vstack(panels))


main()
