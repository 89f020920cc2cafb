"""OME-Zarr in and out: written by zarr-python and read by the program, and the other way round."""
import json

import numpy as np
import pytest

zarr = pytest.importorskip("zarr")
h5py = pytest.importorskip("h5py")


def write_image(folder, levels, scale, unit="micrometer"):
    """An OME-Zarr 0.4 image as other programs write it: Blosc chunks, '/' between their numbers."""
    group = zarr.open_group(str(folder), mode="w")
    for i, values in enumerate(levels):
        array = group.create_dataset(str(i), shape=values.shape, chunks=(16, 24, 32), dtype=values.dtype,
                                     dimension_separator="/")
        array[...] = values
    group.attrs["multiscales"] = [{
        "version": "0.4", "name": "image",
        "axes": [{"name": n, "type": "space", "unit": unit} for n in "zyx"],
        "datasets": [{"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [s * 2**i for s in scale]}]}
                     for i in range(len(levels))]}]
    return folder


@pytest.fixture
def zarr_study(study):
    values = np.load(study.volume)
    write_image(study.folder / "grey.ome.zarr", [values, values[::2, ::2, ::2]], [200, 200, 200], "nanometer")
    study.config.write_text(study.config.read_text().replace("{path: grey.npy, voxel_size_um: 0.2}", "{path: grey.ome.zarr}"))
    return study


def test_a_run_on_ome_zarr_is_the_run_on_the_same_array(zarr_study, study, cathoscope):
    info = json.loads(cathoscope("info", study.folder / "grey.ome.zarr", "--json").stdout)
    assert info["format"] == "OME-Zarr" and info["voxel_size_um"] == [0.2, 0.2, 0.2]
    result = zarr_study.run()
    assert result.returncode == 0, result.stderr
    with h5py.File(study.output / "e1/volume.h5") as file:
        np.testing.assert_array_equal(file["volume"][:], np.load(study.volume))
    from_zarr = (study.output / "e1/attributes.csv").read_bytes()
    study.write()
    assert study.run("--output", study.folder / "npy").returncode == 0
    assert (study.folder / "npy/e1/attributes.csv").read_bytes() == from_zarr


def test_another_level_is_chosen_with_dataset(zarr_study, cathoscope):
    info = json.loads(cathoscope("info", zarr_study.folder / "grey.ome.zarr", "--dataset", "1", "--json").stdout)
    assert info["voxel_size_um"] == [0.4, 0.4, 0.4]
    outside = cathoscope("info", zarr_study.folder / "grey.ome.zarr", "--dataset", "../out")
    assert outside.returncode == 65 and "no path below" in outside.stderr


def test_missing_chunks_are_warned_of_everywhere(zarr_study, cathoscope):
    (zarr_study.folder / "grey.ome.zarr/0/0/0/0").unlink()
    assert "1 of" in cathoscope("info", zarr_study.folder / "grey.ome.zarr").stdout
    assert "chunks are missing" in cathoscope("check", zarr_study.config).stdout
    result = zarr_study.run("--until", "volume")
    assert result.returncode == 0 and "chunks are missing" in result.stderr
    record = json.loads((zarr_study.output / "e1/volume.json").read_text())
    assert any("chunks are missing" in w for w in record["run"]["warnings"])


def halved(values):
    """Means of two by two by two, halves up; every extent here is even."""
    z, y, x = (n // 2 for n in values.shape)
    sums = values.astype(np.int64).reshape(z, 2, y, 2, x, 2).sum(axis=(1, 3, 5))
    return (sums + 4) // 8


@pytest.fixture(scope="module")
def large(tmp_path_factory, cathoscope):
    """A run whose volume has two levels."""
    folder = tmp_path_factory.mktemp("large")
    values = (np.arange(40 * 20 * 300) * 2654435761 % 251).reshape(40, 20, 300).astype("uint8")
    labels = np.zeros(values.shape, "uint16")
    labels[4:14, 4:14, 20:40] = 70
    labels[20:36, 3:17, 200:240] = 9
    np.save(folder / "v.npy", values)
    np.save(folder / "l.npy", labels)
    (folder / "s.yaml").write_text(
        "name: s\noutput: out\nelectrodes: [{name: e, volume: {path: v.npy, voxel_size_um: [0.3, 0.2, 0.1]}, labels: l.npy}]\n"
        "stages: [volume, segmentation]\n")
    assert cathoscope("run", folder / "s.yaml").returncode == 0
    for stage in ("volume", "segmentation"):
        result = cathoscope("export", folder / "out", "--stage", stage, "--format", "ome-zarr")
        assert result.returncode == 0, result.stderr
    return folder, values, labels


def test_zarr_python_reads_the_export(large):
    folder, values, _ = large
    group = zarr.open_group(str(folder / "out/export/e/volume.ome.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][:], values)
    np.testing.assert_array_equal(group["1"][:], halved(values))
    assert sorted(group.array_keys()) == ["0", "1"]
    (image,) = group.attrs["multiscales"]
    assert image["version"] == "0.4" and [a["unit"] for a in image["axes"]] == ["micrometer"] * 3
    for level, of in enumerate(image["datasets"]):
        scale, translation = of["coordinateTransformations"]
        assert scale["scale"] == pytest.approx([0.3 * 2**level, 0.2 * 2**level, 0.1 * 2**level])
        assert translation["translation"] == pytest.approx([s / 2 for s in scale["scale"]])
    assert group.attrs["cathoscope"]["synthetic"] is False


def test_labels_are_labels_on_every_level(large):
    folder, _, labels = large
    group = zarr.open_group(str(folder / "out/export/e/labels.ome.zarr"), mode="r")
    with h5py.File(folder / "out/e/segmentation.h5") as file:
        stored = file["labels"][:]
    np.testing.assert_array_equal(group["0"][:], stored)
    np.testing.assert_array_equal(group["1"][:], stored[::2, ::2, ::2])
    assert set(np.unique(group["1"][:])) <= set(range(len(np.unique(labels))))
    assert group.attrs["image-label"]["version"] == "0.4"
    source = folder / "out/export/e/labels.ome.zarr" / group.attrs["image-label"]["source"]["image"]
    assert (source / ".zattrs").is_file()
    assert (folder / "out/export/e/cracks.ome.zarr/.zattrs").is_file()


def test_the_program_reads_its_export(large, cathoscope, tmp_path):
    folder, _, _ = large
    path = folder / "out/export/e/volume.ome.zarr"
    info = json.loads(cathoscope("info", path, "--json").stdout)
    assert info["voxel_size_um"] == [0.3, 0.2, 0.1] and info["shape"] == [40, 20, 300]
    (tmp_path / "s.yaml").write_text(f"name: s\noutput: out\nelectrodes: [{{name: e, volume: {path}}}]\nstages: [volume]\n")
    assert cathoscope("run", tmp_path / "s.yaml").returncode == 0
    with h5py.File(tmp_path / "out/e/volume.h5") as a, h5py.File(folder / "out/e/volume.h5") as b:
        np.testing.assert_array_equal(a["volume"][:], b["volume"][:])


def test_exporting_again_replaces(large, cathoscope):
    folder, values, _ = large
    path = folder / "out/export/e/volume.ome.zarr"
    before = {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}
    (path / "0/0/0/0").write_bytes(b"damaged")
    assert cathoscope("export", folder / "out", "--stage", "volume", "--format", "ome-zarr").returncode == 0
    assert {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()} == before
    assert not list(path.parent.glob(".*"))


def test_a_synthetic_origin_goes_along(cathoscope, tmp_path):
    made = cathoscope("phantom", "--preset", "demo", "--set", "shape=[24, 40, 48]", "--output", tmp_path / "p")
    assert made.returncode == 0, made.stderr
    (tmp_path / "s.yaml").write_text(
        "name: s\noutput: out\nelectrodes: [{name: e, volume: p/volume.h5}]\nstages: [volume]\n")
    assert cathoscope("run", tmp_path / "s.yaml").returncode == 0
    assert cathoscope("export", tmp_path / "out", "--stage", "volume", "--format", "ome-zarr").returncode == 0
    path = tmp_path / "out/export/e/volume.ome.zarr"
    assert zarr.open_group(str(path), mode="r").attrs["cathoscope"]["synthetic"].startswith("synthetic")
    assert "synthetic" in cathoscope("info", path).stdout
