"""Single images as electrodes, through every stage up to figures and report: what an image has not stays empty and is said."""
import csv
import json

import numpy as np
import tifffile


def image_of_discs(seed):
    """40 discs of unequal size and grey, some with a slit, with noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:300, :480]
    image = np.full(y.shape, 60.0)
    for i in range(40):
        cy, cx = 30 + 60 * (i // 8) + random.integers(-4, 5), 30 + 60 * (i % 8) + random.integers(-4, 5)
        disc = (y - cy) ** 2 + ((x - cx) / random.uniform(0.8, 1.2)) ** 2 < random.integers(14, 20) ** 2
        image[disc] = random.integers(150, 190)
        if i % 3:
            image[disc & (abs(y - cy) < 1 + i % 3) & (abs(x - cx) < 9)] = 40
    return np.clip(image + random.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def test_images_go_through_every_stage(tmp_path, cathoscope):
    for name, seed in (("one", 1), ("two", 2)):
        tifffile.imwrite(tmp_path / f"{name}.tif", image_of_discs(seed))
    (tmp_path / "study.yaml").write_text(
        "name: images\noutput: out\nelectrodes:\n"
        + "".join(f"  - {{name: {n}, volume: {{path: {n}.tif, voxel_size_um: 0.2, mask: none}}}}\n" for n in ("one", "two"))
        + "segmentation: {method: watershed}\n"
        "regression: {half_samples: 2, permutations: 3, seeds: 1, subsets: 1, trees: 5}\n"
        "statistics: {permutations: 9, bootstraps: 10}\n"
        "latent: {restarts: 1, bootstraps: 20, permutations: 20, iterations: 20}\n"
        "figures: {formats: [svg], which: [fig1a, fig1b, fig4a, figs11, segmentation, damage_depth, sham]}\n")
    done = cathoscope("run", "study.yaml", cwd=tmp_path)  # paths as they are written, relative to this folder
    assert done.returncode == 0, done.stderr
    assert "latent.dimensions is 9, and the electrodes have" in done.stderr
    assert "a 2-D image has no depth" in done.stderr
    out = tmp_path / "out"
    status = cathoscope("status", out, "--why").stdout
    assert "figures (report)" in status and "stale" not in status and "missing" not in status, status
    assert (out / "report.html").exists()
    for name in ("fig1b", "fig4a", "figs11", "segmentation", "sham"):
        assert (out / f"figures/{name}.svg").exists(), name
    rows = list(csv.DictReader((out / "one/attributes.csv").open()))
    assert len(rows) > 30
    assert all(row["Volume"] == "" and row["Pitch"] == "" and row["Elongation"] != "" for row in rows)
    shown = {row["attribute"] for row in csv.DictReader((out / "figures/figs11.csv").open())}
    assert "Elongation" in shown and "Volume" not in shown
    assert json.loads((out / "one/summary.json").read_text())["specific_surface_um_1"] is None
