"""Attributes through the program: electrodes of unequal voxel size, and real measurements from file to table."""
import csv
import json
import math

import h5py
import make_inputs
import numpy as np
import tifffile


def table(path):
    """name -> values in the order of the labels; empty cells are NaN."""
    with open(path, newline="") as f:
        rows = sorted(csv.DictReader(f), key=lambda row: int(row["label"]))

    def number(text):
        try:
            return float(text) if text else math.nan
        except ValueError:
            return math.nan

    return {name: np.array([number(row[name]) for row in rows]) for name in rows[0]}


def spheres(voxel, extent=12.0, radius=1.25, spacing=3.0, slit=0.45):
    """Labels, cracks and grey values of cracked balls in a cube of `extent` um, seen at this voxel size."""
    n = round(extent / voxel)
    points = (np.arange(n) + 0.5) * voxel
    cell = (points / spacing).astype(int)
    centre = spacing * (cell + 0.5) + 0.13 * np.sin(cell)
    d = points - centre
    z, y, x = np.meshgrid(d, d, d, indexing="ij", sparse=True)
    inside = z**2 + y**2 + 1.3 * x**2 < radius**2
    k = round(extent / spacing)
    number = 1 + cell[:, None, None] * k * k + cell[None, :, None] * k + cell[None, None, :]
    labels = np.where(inside, number, 0).astype(np.uint16)
    cracks = (inside & (np.abs(x + 0.2 * z) < slit / 2)).astype(np.uint8)
    grey = np.where(cracks, 60, np.where(inside, 180, 90)).astype(np.uint8)
    return labels, cracks, grey


def test_electrodes_of_unequal_voxel_size_are_compared_at_the_coarser(tmp_path, cathoscope):
    text = "name: pair\noutput: out\nelectrodes:\n"
    for name, voxel in [("fine", 0.1), ("coarse", 0.15)]:
        labels, cracks, grey = spheres(voxel)
        make_inputs.write_npy(tmp_path / f"{name}_labels.npy", labels)
        make_inputs.write_npy(tmp_path / f"{name}_cracks.npy", cracks)
        make_inputs.write_npy(tmp_path / f"{name}_grey.npy", grey)
        text += (f"  - name: {name}\n    volume: {{path: {name}_grey.npy, voxel_size_um: {voxel}, mask: none}}\n"
                 f"    labels: {name}_labels.npy\n    cracks: {name}_cracks.npy\n")
    (tmp_path / "study.yaml").write_text(text)
    result = cathoscope("run", tmp_path / "study.yaml", "--until", "attributes")
    assert result.returncode == 0, result.stderr
    out = tmp_path / "out"
    assert not (out / "coarse/attributes_matched.csv").exists()
    matched = table(out / "fine/attributes_matched_leakfree.csv")
    fine = table(out / "fine/attributes_leakfree.csv")
    coarse = table(out / "coarse/attributes_leakfree.csv")
    assert len(matched["label"]) == len(fine["label"]) == len(coarse["label"]) == 64
    assert (matched["label"] == coarse["label"]).all()
    assert np.allclose(fine["n_voxels"] / matched["n_voxels"], 1.5**3, rtol=0.05)
    assert np.allclose(matched["X"], coarse["X"], atol=0.02)
    # 8 voxels radius, all on the same phases of the lattice: the scatter of single bodies of that size
    for name, tolerance in [("Volume", 0.006), ("SurfOuter", 0.006), ("Sphericity", 0.015), ("Elongation", 0.01),
                            ("Damage", 0.02), ("DistNearest", 0.002), ("PDensity", 0.006)]:
        ratio = np.nanmean(matched[name]) / np.nanmean(coarse[name])
        assert abs(ratio - 1) < tolerance, (name, ratio)


def crofton_area(mask, h):
    """Surface of a mask by label changes along 13 directions, cubic voxels; faces of the volume are no surface."""
    area = 0.0
    for order, weight, steps in [
            (1, 0.0915557824, [(0, 0, 1), (0, 1, 0), (1, 0, 0)]),
            (2, 0.0739612558, [(0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1), (1, 1, 0), (1, -1, 0)]),
            (3, 0.0703912796, [(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)])]:
        for step in steps:
            here = tuple(slice(max(0, -s), mask.shape[a] - max(0, s)) for a, s in enumerate(step))
            there = tuple(slice(max(0, s), mask.shape[a] - max(0, -s)) for a, s in enumerate(step))
            area += 2 * weight * np.count_nonzero(mask[here] != mask[there]) / math.sqrt(order)
    return area * h * h


def test_a_measured_electrode_of_phases(tmp_path, cathoscope, shared_data):
    path = shared_data("segmented_nmc_volume/nmc-1-cal_generatedCBD_bridge.tif")
    h = 0.398
    (tmp_path / "study.yaml").write_text(
        f"name: nmc\noutput: out\nelectrodes:\n  - name: e\n    volume: {{path: {path}, voxel_size_um: {h}, mask: none}}\n"
        "segmentation: {method: phases, active_phase: 1}\n")
    result = cathoscope("run", tmp_path / "study.yaml", "--until", "attributes", timeout=500)
    assert result.returncode == 0, result.stderr
    phase = tifffile.imread(path) == 1
    summary = json.loads((tmp_path / "out/e/summary.json").read_text())
    t = table(tmp_path / "out/e/attributes.csv")
    with h5py.File(tmp_path / "out/e/segmentation.h5") as f:
        kept = f["labels"][()] > 0
    dropped = np.count_nonzero(phase & ~kept) / np.count_nonzero(phase)
    filled = np.count_nonzero(kept & ~phase) / np.count_nonzero(phase)
    print(f"fraction {summary['phase_fraction']} of {phase.mean()}, dropped {dropped}, filled {filled}, "
          f"surface {summary['specific_surface_um_1']}, particles {len(t['label'])}")
    assert abs(summary["phase_fraction"] / phase.mean() - 1) < 0.005
    assert dropped < 0.01
    # every voxel of the phase that was not dropped is in one particle
    assert abs(t["Volume"].sum() / (np.count_nonzero(kept) * h**3) - 1) < 1e-9
    assert abs(t["Volume"].sum() / (np.count_nonzero(phase) * h**3) - 1) < dropped + filled + 1e-9
    # the faces in z are ends of the electrode and the others cuts: neither is in the specific surface
    total = kept.size * h**3
    print("surface of the kept", crofton_area(kept, h) / total, "of the phase", crofton_area(phase, h) / total)
    assert abs(summary["specific_surface_um_1"] / (crofton_area(kept, h) / total) - 1) < 1e-6
    assert abs(summary["specific_surface_um_1"] / (crofton_area(phase, h) / total) - 1) < 0.03
    assert 300 < len(t["label"]) < 2500
    assert 0.05 < np.nanmedian(t["Sphericity"]) < 1.05
    assert (t["Elongation"] >= 1).all() and (t["Damage"] < 1).all()
    assert ((t["Contact"] >= 0) & (t["Contact"] <= 1.05)).all()
    assert ((t["PDensity"] > 0.1) & (t["PDensity"] <= 1)).all()


def test_a_measured_slice(tmp_path, cathoscope, shared_data):
    path = shared_data("electrode_slices/example_xy.tif")
    (tmp_path / "study.yaml").write_text(
        f"name: slice\noutput: out\nelectrodes:\n  - name: e\n    volume: {{path: {path}, voxel_size_um: 0.07}}\n")
    result = cathoscope("run", tmp_path / "study.yaml", "--until", "attributes", timeout=300)
    assert result.returncode == 0, result.stderr
    t = table(tmp_path / "out/e/attributes.csv")
    print(len(t["label"]), "particles, median area", np.median(t["area_um2"]), "Elongation", np.median(t["Elongation"]))
    assert 30 < len(t["label"]) < 2000
    assert np.isnan(t["Volume"]).all() and np.isnan(t["Z"]).all()
    assert (t["area_um2"] > 0).all() and t["area_um2"].sum() < 655 * 2048 * 0.07**2
    assert ((t["X"] > 0) & (t["X"] < 2048 * 0.07) & (t["Y"] > 0) & (t["Y"] < 655 * 0.07)).all()
    assert (t["Elongation"] >= 1).all() and ((t["Damage"] >= 0) & (t["Damage"] < 1)).all()
    assert 0 < np.median(t["EDensity"]) < 256


def test_measured_sand_from_a_raw_file(tmp_path, cathoscope, shared_data):
    path = shared_data("sand_raw/sand_200x200x100_uint8.raw")
    # the true voxel size of this file is unknown: with 1 um grains are a few tens of voxels
    (tmp_path / "study.yaml").write_text(
        f"name: sand\noutput: out\nelectrodes:\n  - name: e\n    volume: {{path: {path}, voxel_size_um: 1, "
        "shape: [100, 200, 200], type: uint8}\n"
        "segmentation: {watershed: {smooth_um: 1, h_um: 2, closing_um: 1}}\n")
    result = cathoscope("run", tmp_path / "study.yaml", "--until", "attributes", timeout=300)
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "out/e/summary.json").read_text())
    t = table(tmp_path / "out/e/attributes.csv")
    print(len(t["label"]), "grains", summary["phase_fraction"], "Sphericity", np.nanmedian(t["Sphericity"]))
    assert len(t["label"]) > 5
    assert 0.3 < summary["phase_fraction"] < 0.9
    assert 0.1 < np.nanmedian(t["Sphericity"]) < 1.05
    assert abs(t["Volume"].sum() / (4e6 * summary["phase_fraction"]) - 1) < 0.01
    assert ((t["Z"] > 0) & (t["Z"] < 100) & (t["X"] < 200)).all()
