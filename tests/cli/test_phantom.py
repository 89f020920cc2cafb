"""The phantom command: its files, their labels as synthetic, and a study that goes through with them."""
import csv
import json

import h5py
import numpy as np
import pytest


@pytest.fixture(scope="module")
def tiny(cathoscope, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "tiny"
    result = cathoscope("phantom", "--preset", "tiny", "--seed", "3", "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder


def test_files_and_their_origin(tiny, cathoscope):
    names = {p.name for p in tiny.iterdir()}
    assert names == {"volume.h5", "labels.h5", "cracks.h5", "crack_fraction.h5", "attributes.csv", "attributes_leakfree.csv",
                     "particles.csv", "truth.yaml", "electrode.yaml", "run.yaml"}
    for name in ["volume", "labels", "cracks", "crack_fraction"]:
        with h5py.File(tiny / f"{name}.h5") as f:
            assert f.attrs["synthetic"].decode().startswith("synthetic: cathoscope phantom, preset tiny, seed 3")
            assert f[name].shape == (64, 64, 64)
    assert "synthetic" in (tiny / "truth.yaml").read_text()
    assert "synthetic" in cathoscope("info", tiny / "volume.h5").stdout


def test_masks_and_table_agree(tiny):
    with h5py.File(tiny / "labels.h5") as f, h5py.File(tiny / "cracks.h5") as c:
        labels, cracks = f["labels"][...], c["cracks"][...]
    with open(tiny / "attributes.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == labels.max()
    assert not np.any((cracks > 0) & (labels == 0))
    for row in rows:
        inside = labels == int(row["label"])
        assert int(row["n_voxels"]) == inside.sum()
        assert float(row["Damage"]) == pytest.approx(cracks[inside].mean(), rel=1e-12)


def test_same_bytes_for_any_number_of_threads_and_another_seed_differs(tiny, cathoscope, tmp_path):
    assert cathoscope("phantom", "--preset", "tiny", "--seed", "3", "--threads", "1", "--output", tmp_path / "a").returncode == 0
    for path in tiny.iterdir():
        assert (tmp_path / "a" / path.name).read_bytes() == path.read_bytes(), path.name
    assert cathoscope("phantom", "--preset", "tiny", "--seed", "4", "--output", tmp_path / "b").returncode == 0
    assert (tmp_path / "b/volume.h5").read_bytes() != (tiny / "volume.h5").read_bytes()


def test_tiff_says_voxel_size_and_origin(cathoscope, tmp_path):
    assert cathoscope("phantom", "--preset", "tiny", "--format", "tiff", "--type", "uint16", "--output", tmp_path / "t").returncode == 0
    facts = json.loads(cathoscope("info", tmp_path / "t/volume.tif", "--json").stdout)
    assert facts["type"] == "uint16" and facts["voxel_size_um"] is not None
    assert "synthetic" in cathoscope("info", tmp_path / "t/volume.tif").stdout


def test_a_study_of_it_says_synthetic(tiny, cathoscope, tmp_path):
    (tmp_path / "s.yaml").write_text(
        f"name: s\noutput: out\nelectrodes: [{{name: e, volume: {tiny}/volume.h5, labels: {tiny}/labels.h5, "
        f"cracks: {tiny}/cracks.h5}}]\n")
    result = cathoscope("run", tmp_path / "s.yaml", "--until", "attributes")
    assert result.returncode == 0, result.stderr
    assert "(synthetic)" in result.stderr
    summary = json.loads((tmp_path / "out/e/summary.json").read_text())
    assert summary["synthetic"].startswith("synthetic: cathoscope phantom")
    with open(tmp_path / "out/e/attributes.csv", newline="") as f, open(tiny / "attributes.csv", newline="") as t:
        measured, truth = ({r["label"]: r for r in csv.DictReader(file)} for file in (f, t))
    assert set(measured) == set(truth)
    for label, row in truth.items():
        # Not exact: given labels are filled, and the generator's bodies may enclose a voxel of matrix.
        # The surface counts such pockets most: grains that stand out leave gaps of a voxel at 0.35 um.
        for column, tolerance in (("Volume", 0.01), ("X", 0.01), ("SurfOuter", 0.03)):
            assert float(measured[label][column]) == pytest.approx(float(row[column]), rel=tolerance), (label, column)
        assert float(measured[label]["Damage"]) == pytest.approx(float(row["Damage"]), abs=0.01), label


def test_its_own_run_yaml_goes_through_and_so_does_the_entry_in_a_study(tiny, cathoscope, tmp_path):
    result = cathoscope("run", tiny / "run.yaml", "--output", tmp_path / "out", "--until", "attributes")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/synthetic-tiny/attributes.csv").exists()
    (tiny / "study.yaml").write_text("name: s\noutput: out\nelectrodes:\n" + (tiny / "electrode.yaml").read_text())
    result = cathoscope("check", tiny / "study.yaml")
    (tiny / "study.yaml").unlink()
    assert result.returncode == 0, result.stderr


def test_one_electrode_at_two_voxel_sizes(cathoscope, tmp_path):
    volumes = {}
    for h in ("0.35", "0.25"):
        folder = tmp_path / h
        assert cathoscope("phantom", "--preset", "tiny", "--seed", "3", "--voxel-size-um", h, "--output", folder).returncode == 0
        with open(folder / "attributes.csv", newline="") as f, open(folder / "particles.csv", newline="") as p:
            places = [(r["centre_x"], r["centre_y"], r["centre_z"]) for r in csv.DictReader(p)]
            # Bodies that the sides cut are left out: the sides are on a whole number of voxels.
            volumes[h] = {place: float(r["Volume"]) for place, r in zip(places, csv.DictReader(f)) if r["touches_border"] == "0"}
    large = {place: v for place, v in volumes["0.35"].items() if v > 30}
    assert len(large) >= 3
    for place, v in large.items():
        # A body of 700 voxels and more; voxels of two sizes sample its surface, some 2 per cent each.
        assert volumes["0.25"][place] == pytest.approx(v, rel=0.04), place


def test_given_labels_take_the_place_of_bodies(tiny, cathoscope, tmp_path):
    result = cathoscope("phantom", "--preset", "tiny", "--seed", "5", "--labels", tiny / "labels.h5", "--output", tmp_path / "s")
    assert result.returncode == 0, result.stderr
    with h5py.File(tiny / "labels.h5") as f, h5py.File(tmp_path / "s/labels.h5") as g:
        assert np.array_equal(f["labels"][...], g["labels"][...])
    assert "semi_real: true" in (tmp_path / "s/truth.yaml").read_text()


def test_tables_of_any_length(cathoscope, tmp_path):
    result = cathoscope("phantom", "--preset", "paper10", "--tables-only", "--rows", "5000", "--output", tmp_path / "t")
    assert result.returncode == 0, result.stderr
    with open(tmp_path / "t/attributes.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 5000 and "Damage" in rows[0]
    assert "synthetic" in (tmp_path / "t/truth.yaml").read_text()


@pytest.mark.parametrize("args, code", [
    (["--preset", "nope"], 64), ([], 64), (["--preset", "tiny", "--type", "int3"], 64),
    (["--preset", "tiny", "--format", "gif"], 64), (["--preset", "tiny", "--tables-only"], 64),
    (["--preset", "tiny", "--set", "packing.fractoin=0.4"], 78), (["--preset", "tiny", "--set", "shape=[1,2]"], 78),
    (["--preset", "tiny", "--labels", "none.tif"], 66)])
def test_what_is_refused(cathoscope, tmp_path, args, code):
    result = cathoscope("phantom", *args, "--output", tmp_path / "out", cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_not_touched(tiny, cathoscope):
    assert cathoscope("phantom", "--preset", "tiny", "--output", tiny).returncode == 73
