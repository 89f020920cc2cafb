"""Writes a StarDist 2-D model folder with random weights, as csbdeep and Keras lay it out, and what it says of an image:
computed here with NumPy alone, pixel sums of shifted images, nothing shared with the program.

Usage: stardist_reference.py FOLDER GRID DEPTH CONVOLUTIONS FEATURES SEED      image.f32, prob.f32, dist.f32 beside the model
"""
import json
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
grid, depth, convolutions, features, seed = map(int, sys.argv[2:7])
base, rays, size = 4, 32, 64
rng = np.random.default_rng(seed)
layers = {}  # name -> kernel (row, column, in, out), bias; in the order of the computation


def convolve(x, name, out, kernel=3, relu=True):
    k = rng.normal(0, np.sqrt(1.5 / (kernel * kernel * x.shape[2])), (kernel, kernel, x.shape[2], out))
    k, b = k.astype(np.float32), rng.normal(0, 0.1, out).astype(np.float32)
    layers[name] = (k, b)
    r = kernel // 2
    p = np.pad(x, ((r, r), (r, r), (0, 0)))
    y = np.zeros((x.shape[0], x.shape[1], out)) + b
    for i in range(kernel):
        for j in range(kernel):
            y += p[i:i + x.shape[0], j:j + x.shape[1]] @ k[i, j].astype(np.float64)
    return np.maximum(y, 0) if relu else y


def pool(x):
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, x.shape[2]).max(axis=(1, 3))


image = rng.normal(0.5, 0.5, (size, size)).astype(np.float32)
x = image.astype(np.float64)[:, :, None]
number = 7  # Keras counts the layers of a session: the first one need not be conv2d_1
step = 1
while step < grid:
    for _ in range(convolutions):
        x = convolve(x, f"conv2d_{number}", base)
        number += 1
    x, step = pool(x), step * 2
skips = []
for level in range(depth):
    for i in range(convolutions):
        x = convolve(x, f"down_level_{level}_no_{i}", base * 2**level)
    skips.append(x)
    x = pool(x)
for i in range(convolutions - 1):
    x = convolve(x, f"middle_{i}", base * 2**depth)
x = convolve(x, f"middle_{convolutions}", base * 2**max(0, depth - 1))
for level in reversed(range(depth)):
    x = np.concatenate([x.repeat(2, axis=0).repeat(2, axis=1), skips[level]], axis=2)
    for i in range(convolutions - 1):
        x = convolve(x, f"up_level_{level}_no_{i}", base * 2**level)
    x = convolve(x, f"up_level_{level}_no_{convolutions}", base * 2**max(0, level - 1))
if features > 0:
    x = convolve(x, "features", features)
prob = 1 / (1 + np.exp(-convolve(x, "prob", 1, 1, relu=False)))
dist = np.maximum(convolve(x, "dist", rays, 1, relu=False), 0)

folder.mkdir(parents=True, exist_ok=True)
config = {"n_dim": 2, "axes": "YXC", "n_channel_in": 1, "n_channel_out": 1 + rays, "train_checkpoint": "weights_best.h5",
          "n_rays": rays, "grid": [grid, grid], "backbone": "unet", "n_classes": None, "unet_n_depth": depth,
          "unet_kernel_size": [3, 3], "unet_n_filter_base": base, "unet_n_conv_per_depth": convolutions,
          "unet_pool": [2, 2], "unet_activation": "relu", "unet_last_activation": "relu", "unet_batch_norm": False,
          "unet_dropout": 0.0, "unet_prefix": "", "net_conv_after_unet": features}
(folder / "config.json").write_text(json.dumps(config))
(folder / "thresholds.json").write_text(json.dumps({"prob": 0.642, "nms": 0.3}))
with h5py.File(folder / "weights_best.h5", "w") as f:
    # Keras lists layers by their depth in the graph: here the heads come first, and layers without weights between.
    names = ["input"] + [n for n in layers if n in ("prob", "dist")] + ["max_0"] + [
        n for n in layers if n not in ("prob", "dist")]
    texts = names if seed % 2 else [n.encode() for n in names]  # variable and fixed length, as h5py versions differ
    f.attrs.create("layer_names", texts, dtype=h5py.string_dtype() if seed % 2 else f"S{max(map(len, names))}")
    f.attrs["backend"] = "tensorflow"
    for name in names:
        group = f.create_group(name)
        weights = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()] if name in layers else []
        group.attrs.create("weight_names", np.array(weights, dtype="S") if weights else np.zeros(0, "S1"))
        for weight, values in zip(weights, layers.get(name, ())):
            group.create_dataset(weight.decode(), data=values)
image.tofile(folder / "image.f32")
prob[:, :, 0].astype(np.float32).tofile(folder / "prob.f32")
np.ascontiguousarray(dist.transpose(2, 0, 1)).astype(np.float32).tofile(folder / "dist.f32")
