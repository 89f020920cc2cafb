"""Bad and odd input: each gets its message and its exit code, and nothing is computed or left behind."""
import os
import csv
import json
import subprocess
import time

import conftest
import h5py
import make_inputs
import numpy as np
import pytest

DATA, NO_INPUT, CONFIG = 65, 66, 78


def write_study(folder, volume, more="", segmentation="{method: watershed, minimum_particle_um3: 0.1}"):
    config = folder / "study.yaml"
    config.write_text(f"name: odd\noutput: out\nelectrodes:\n  - name: e\n    volume: {volume}\n{more}"
                      f"segmentation: {segmentation}\n")
    return config


@pytest.fixture
def run(tmp_path, cathoscope):
    """run(volume=..., more=...) writes a study and runs it; the result also has the output folder."""

    def call(volume, more="", segmentation="{method: watershed, minimum_particle_um3: 0.1}", **options):
        result = cathoscope("run", write_study(tmp_path, volume, more, segmentation), "--until", "attributes", **options)
        result.output = tmp_path / "out"
        return result

    return call


def refused(result, code, *words):
    assert result.returncode == code, result.stderr
    for word in words:
        assert str(word) in result.stderr, f"{word!r} is not in:\n{result.stderr}"
    if result.output.exists():
        assert not list(result.output.rglob("*.h5")), "something was left behind"
        assert not list(result.output.rglob(".*partial*")), "a temporary file was left behind"


def finished(result):
    assert result.returncode == 0, result.stderr
    with open(result.output / "e/attributes.csv", newline="") as f:
        return list(csv.DictReader(f))


# --- 1 to 3: TIFF ---------------------------------------------------------------------------------------------------

def pages(n=8, shape=(30, 34), dtype="uint8"):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 200, shape).astype(dtype) for _ in range(n)]


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_truncated_tiff(run, tmp_path, part):
    path = make_inputs.write_tiff(tmp_path / "v.tif", pages())
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    refused(run("{path: v.tif, voxel_size_um: 0.1}"), DATA, "v.tif")


@pytest.mark.parametrize("content", [b"", b"II*\0\0\0\0\0", b"hello world", b"MM\0*\xff\xff\xff\xff"])
def test_what_is_no_tiff(run, tmp_path, content):
    (tmp_path / "v.tif").write_bytes(content)
    refused(run("{path: v.tif, voxel_size_um: 0.1}"), DATA, "v.tif")


def slices(folder, numbers, **kind):
    folder.mkdir()
    for number in numbers:
        make_inputs.write_tiff(folder / f"slice_{number}.tif", pages(1, **kind))


def test_a_missing_slice(run, tmp_path):
    slices(tmp_path / "s", [0, 1, 2, 3, 5, 6])
    refused(run("{path: s, voxel_size_um: 0.1}"), DATA, "4")


def test_a_slice_number_twice(run, tmp_path):
    slices(tmp_path / "s", ["1", "2", "02", "3"])
    refused(run("{path: s, voxel_size_um: 0.1}"), DATA, "slice_02.tif")


def test_slices_of_unequal_size_or_type(run, tmp_path):
    slices(tmp_path / "s", [1, 2, 3])
    make_inputs.write_tiff(tmp_path / "s/slice_4.tif", pages(1, shape=(30, 35)))
    refused(run("{path: s, voxel_size_um: 0.1}"), DATA, "slice_4.tif")
    make_inputs.write_tiff(tmp_path / "s/slice_4.tif", pages(1, dtype="uint16"))
    refused(run("{path: s, voxel_size_um: 0.1}"), DATA, "slice_4.tif")


def test_slices_in_natural_order(cathoscope, tmp_path):
    slices(tmp_path / "s", range(1, 12))
    result = cathoscope("info", tmp_path / "s")
    assert result.returncode == 0, result.stderr
    assert "slice_1.tif" in result.stdout and "slice_11.tif" in result.stdout and "11" in result.stdout


def test_byte_orders_agree(run, tmp_path):
    grey, _ = make_inputs.balls()
    make_inputs.write_tiff(tmp_path / "big.tif", grey.astype("uint16"), big_endian=True)
    make_inputs.write_npy(tmp_path / "little.npy", grey.astype("uint16"))
    rows = finished(run("{path: big.tif, voxel_size_um: 0.2}"))
    assert rows == finished(run("{path: little.npy, voxel_size_um: 0.2}"))


# --- 4 to 9: HDF5 ---------------------------------------------------------------------------------------------------

def test_a_truncated_hdf5(run, tmp_path):
    path = make_inputs.write_h5(tmp_path / "v.h5", v=np.zeros((40, 40, 40), "uint8"))
    path.write_bytes(path.read_bytes()[:30000])
    refused(run("{path: v.h5, voxel_size_um: 0.1}"), DATA, "v.h5")


def test_a_damaged_hdf5_is_an_error_or_read(run, tmp_path):
    path = make_inputs.write_h5(tmp_path / "v.h5", v=np.zeros((40, 40, 40), "uint8"))
    good = path.read_bytes()
    rng = np.random.default_rng(2)
    for _ in range(10):
        bad = bytearray(good)
        for at in rng.integers(0, min(len(bad), 3000), 100):
            bad[at] = rng.integers(256)
        path.write_bytes(bad)
        assert run("{path: v.h5, voxel_size_um: 0.1}").returncode in (0, DATA, NO_INPUT, 73)


def test_an_hdf5_that_declares_exabytes(run, tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as f:
        f.create_dataset("v", (10**6, 10**6, 10**6), "f4", chunks=(64, 64, 64))
    refused(run("{path: v.h5, voxel_size_um: 0.1}"), DATA, "v.h5")


def test_a_deflate_bomb_goes_through_in_blocks(run, tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as f:
        f.create_dataset("v", data=np.zeros((150, 256, 256), "u2"), chunks=(64, 64, 64), compression="gzip")
    assert finished(run("{path: v.h5, voxel_size_um: 0.1}")) == []


def test_hdf5_storage_outside_its_folder(run, tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as f:
        f.create_dataset("v", (10, 10, 5), "u1", external=[("/etc/passwd", 0, 500)])
    refused(run("{path: v.h5, voxel_size_um: 0.1}"), DATA, "/etc/passwd")


def test_hdf5_link_outside_its_folder(run, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    make_inputs.write_h5(tmp_path / "secret.h5", v=np.zeros((9, 9, 9), "u1"))
    with h5py.File(inner / "v.h5", "w") as f:
        f["v"] = h5py.ExternalLink("../secret.h5", "v")
    refused(run("{path: inner/v.h5, dataset: v, voxel_size_um: 0.1}"), DATA)


def test_a_virtual_dataset_whose_part_is_missing(run, tmp_path):
    layout = h5py.VirtualLayout((30, 20, 20), "u1")
    for i in range(3):
        make_inputs.write_h5(tmp_path / f"part{i}.h5", d=np.full((10, 20, 20), 9, "u1"))
        layout[10 * i: 10 * i + 10] = h5py.VirtualSource(f"part{i}.h5", "d", (10, 20, 20))
    with h5py.File(tmp_path / "v.h5", "w") as f:
        f.create_virtual_dataset("v", layout)
    assert run("{path: v.h5, voxel_size_um: 0.1}").returncode == 0
    (tmp_path / "part1.h5").unlink()
    result = run("{path: v.h5, voxel_size_um: 0.1}")
    assert result.returncode == NO_INPUT and "part1.h5" in result.stderr


def test_several_datasets_are_not_guessed(run, tmp_path):
    make_inputs.write_h5(tmp_path / "v.h5", a=np.zeros((9, 9, 9)), b=np.zeros((9, 9, 9)))
    refused(run("{path: v.h5, voxel_size_um: 0.1}"), DATA, "/a", "/b")
    refused(run("{path: v.h5, dataset: c, voxel_size_um: 0.1}"), DATA, "c")


def test_nabu_layout_is_found_with_its_voxel_size(cathoscope, tmp_path):
    with h5py.File(tmp_path / "v.hdf5", "w") as f:
        f["entry0000/reconstruction/results/data"] = np.zeros((9, 10, 11), "f4")
        f["entry0000/reconstruction/configuration/processing_options/reconstruction/voxel_size_cm"] = [7e-6, 7e-6, 7e-6]
    result = cathoscope("info", tmp_path / "v.hdf5", "--json")
    facts = json.loads(result.stdout)
    assert facts["shape"] == [9, 10, 11]
    assert np.allclose(facts["voxel_size_um"], 0.07, rtol=1e-12)
    assert "nabu" in json.dumps(facts)


# --- 10, 11: mha, vol -----------------------------------------------------------------------------------------------

MHA = ("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nElementSpacing = 1 1 1\n"
       "DimSize = {size}\nElementType = MET_UCHAR\nElementDataFile = {data}\n")


@pytest.mark.parametrize("size, data", [("10 10 10", "LOCAL"), ("-5 10 10", "LOCAL"), ("4000000 4000000 4000000", "LOCAL"),
                                        ("10 10 1", "/etc/passwd"), ("10 10 1", "../../etc/passwd")])
def test_bad_mha(run, tmp_path, size, data):
    (tmp_path / "v.mha").write_bytes(MHA.format(size=size, data=data).encode() + b"abc")
    refused(run("{path: v.mha, voxel_size_um: 0.1}"), DATA)


def test_vol_without_info_and_of_the_wrong_size(run, tmp_path):
    (tmp_path / "v.vol").write_bytes(b"\0" * 1000)
    result = run("{path: v.vol, voxel_size_um: 0.1}")
    assert result.returncode == NO_INPUT and "v.vol.info" in result.stderr
    (tmp_path / "v.vol.info").write_text("NUM_X = 10\nNUM_Y = 10\nNUM_Z = 7\nvoxelSize = 1\nBYTEORDER = LOWBYTEFIRST\n")
    refused(run("{path: v.vol, voxel_size_um: 0.1}"), DATA, "1000", "700")


def test_raw_of_the_wrong_size_suggests_what_fits(run, tmp_path):
    (tmp_path / "v.raw").write_bytes(b"\0" * 2000)
    refused(run("{path: v.raw, shape: [10, 10, 10], type: uint8, voxel_size_um: 0.1}"), DATA, "2000", "16")
    result = run("{path: v.raw, voxel_size_um: 0.1}")
    assert result.returncode in (DATA, CONFIG) and "shape" in result.stderr


# --- 12 to 14: the configuration ------------------------------------------------------------------------------------

def test_no_voxel_size_is_asked_for_where_it_belongs(run, tmp_path):
    make_inputs.write_npy(tmp_path / "v.npy", np.zeros((9, 9, 9), "u1"))
    result = run("{path: v.npy}")
    refused(result, CONFIG, "study.yaml:5:", "voxel_size_um")
    (tmp_path / "r.raw").write_bytes(b"\0" * 1000)
    refused(run("{path: r.raw, shape: [10, 10, 10], type: uint8}"), CONFIG, "voxel_size_um")


BAD_CONFIGURATIONS = {
    "tab": ("name: x\n\toutput: y\n", ":2:"),
    "indentation": ("name: x\n  output: y\n", ":2:"),
    "duplicate key": ("name: x\noutput: y\nname: z\n", ":3:1: error:"),
    "unknown key": ("name: x\noutput: y\nelektrodes: []\n", "electrodes"),
    "wrong type": ("name: x\noutput: y\nseed: many\n", ":3:"),
    "number out of range": ("name: x\noutput: y\nruntime: {threads: -2}\n", "-2"),
    "unit in the value": ("name: x\noutput: y\nattributes: {packing_cube_um: 30um}\n", "30um"),
    "decimal comma": ("name: x\noutput: y\nattributes: {packing_cube_um: '0,05'}\n", "0,05"),
    "nan": ("name: x\noutput: y\nattributes: {packing_cube_um: .nan}\n", ".nan"),
    "two documents": ("name: x\noutput: y\n---\nname: z\n", ":3:"),
    "on as true": ("name: x\noutput: y\nattributes: {match_resolution: on}\n", "on"),
    "missing file": ("name: x\noutput: y\nelectrodes: [{name: e, volume: none.tif}]\n", "none.tif"),
    "path in a name": ("name: x\noutput: y\nelectrodes: [{name: ../../e, labels: study.yaml}]\n", "../../e"),
    "equal names": ("name: x\noutput: y\nelectrodes: [{name: e, labels: study.yaml}, {name: e, labels: study.yaml}]\n", "e"),
    "reserved name": ("name: x\noutput: y\nelectrodes: [{name: log.txt, labels: study.yaml}]\n", "the run itself uses"),
    "averaged phases": ("name: x\noutput: y\nelectrodes: [{name: e, volume: {path: study.yaml, bin: 2}}]\n"
                        "segmentation: {method: phases}\n", "bin"),
    "stages without electrodes": ("name: x\noutput: y\nelectrodes: []\nstages: [volume]\n", "stages"),
    "depth": ("name: " + "[" * 100000, "error"),
    "alias bomb": ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e]\n", "error"),
    "too large": ("#" + "x" * (2 << 20), "1048576"),
    "empty": ("", "error"),
}


@pytest.mark.parametrize("name", BAD_CONFIGURATIONS)
def test_a_bad_configuration(cathoscope, tmp_path, name):
    text, word = BAD_CONFIGURATIONS[name]
    (tmp_path / "study.yaml").write_text(text)
    started = time.monotonic()
    result = cathoscope("run", tmp_path / "study.yaml", timeout=20)
    assert result.returncode == CONFIG, result.stderr
    assert word in result.stderr
    assert "study.yaml" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]
    assert time.monotonic() - started < 20


def test_all_mistakes_are_reported_at_once_with_suggestions(cathoscope, tmp_path):
    (tmp_path / "s.yaml").write_text("name: x\noutput: y\nseed: -1\nsegmentation: {metod: watershed}\n"
                                     "attributes: {neighbours: 1, profil: paper}\n")
    err = cathoscope("check", tmp_path / "s.yaml").stderr
    assert err.count(": error: ") == 4, err
    assert "method" in err and "profile" in err
    assert "s.yaml:4:16" in err


def test_bad_files_do_not_hide_each_other_nor_the_configuration(cathoscope, tmp_path):
    make_inputs.write_npy(tmp_path / "v.npy", np.zeros((9, 9, 9), "u1"))
    make_inputs.write_npy(tmp_path / "l.npy", np.zeros((9, 9, 8), "u1"))
    (tmp_path / "t.tif").write_bytes(b"no tiff")
    entries = ["{name: a, volume: v.npy}", "{name: b, volume: {path: v.npy, voxel_size_um: 1}, labels: l.npy}",
               "{name: c, volume: {path: t.tif, voxel_size_um: 1}}"]
    (tmp_path / "s.yaml").write_text("name: x\noutput: y\nelectrodes:\n" + "".join(f"  - {e}\n" for e in entries))
    result = cathoscope("check", tmp_path / "s.yaml")
    assert result.returncode == CONFIG
    assert "s.yaml:4:" in result.stderr and "9 x 9 x 8" in result.stderr and "t.tif" in result.stderr
    (tmp_path / "s.yaml").write_text("name: x\noutput: y\nelectrodes:\n" + "".join(f"  - {e}\n" for e in entries[1:]))
    result = cathoscope("check", tmp_path / "s.yaml")
    assert result.returncode == DATA
    assert "9 x 9 x 8" in result.stderr and "t.tif" in result.stderr


# --- 15 to 21: values, counts, shapes -------------------------------------------------------------------------------

@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(run, tmp_path, value):
    grey, _ = make_inputs.balls()
    grey = grey.astype("float32")
    grey[3, 4, 5] = value
    make_inputs.write_npy(tmp_path / "v.npy", grey)
    refused(run("{path: v.npy, voxel_size_um: 0.2}"), DATA, "1")
    for policy in ("mask", "replace"):
        assert finished(run(f"{{path: v.npy, voxel_size_um: 0.2, nan: {policy}}}"))


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_volume_has_no_particles(run, tmp_path, value):
    make_inputs.write_npy(tmp_path / "v.npy", np.full((20, 21, 22), value, "u1"))
    result = run("{path: v.npy, voxel_size_um: 0.2}")
    assert finished(result) == []
    assert json.loads((result.output / "e/summary.json").read_text())["particles"] == 0


def ball(shape, centres, radius):
    z, y, x = np.indices(shape)
    labels = np.zeros(shape, "u2")
    for n, (cz, cy, cx) in enumerate(centres, 1):
        labels[(z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = n
    return labels


@pytest.mark.parametrize("count", [1, 2, 6])
def test_few_particles_leave_neighbour_attributes_empty(run, tmp_path, count):
    centres = [(10, 10, 10 + 18 * i) for i in range(count)]
    make_inputs.write_npy(tmp_path / "l.npy", ball((21, 21, 20 * count), centres, 7))
    (tmp_path / "v.npy").write_bytes((tmp_path / "l.npy").read_bytes())
    rows = finished(run("{path: v.npy, voxel_size_um: 0.2}", "    labels: l.npy\n"))
    assert len(rows) == count
    for row in rows:
        assert row["DistNearest"] == "" and row["OrienIso"] == ""
        assert float(row["Volume"]) > 0


@pytest.mark.parametrize("shape", [(1, 40, 50), (2, 40, 50), (40, 1, 50), (3, 3, 3), (1, 1, 1)])
def test_flat_and_tiny_volumes(run, tmp_path, shape):
    grey = np.full(shape, 50, "u1")
    grey[tuple(slice(0, max(1, s // 2)) for s in shape)] = 200
    make_inputs.write_npy(tmp_path / "v.npy", grey)
    assert run("{path: v.npy, voxel_size_um: 0.2}").returncode == 0


def test_one_voxel_and_border_particles(run, tmp_path):
    labels = np.zeros((9, 10, 11), "u1")
    labels[4, 4, 4] = 1
    labels[0, :, :] = 2
    labels[8, 9, 10] = 3
    make_inputs.write_npy(tmp_path / "l.npy", labels)
    rows = finished(run("{path: l.npy, voxel_size_um: 0.2}", "    labels: l.npy\n", segmentation="{}"))
    assert [int(r["label"]) for r in rows] == [2, 1, 3]  # in the order of their first voxels
    assert [int(r["n_voxels"]) for r in rows] == [110, 1, 1]
    assert [r["touches_border"] for r in rows] == ["1", "0", "1"]


def test_label_ids_sparse_and_huge(run, tmp_path):
    labels = ball((21, 21, 60), [(10, 10, 10), (10, 10, 28), (10, 10, 46)], 7).astype("u8")
    ids = np.array([0, 2**32 - 1, 7, 2**53 + 2], "u8")
    make_inputs.write_npy(tmp_path / "l.npy", ids[labels])
    rows = finished(run("{path: l.npy, voxel_size_um: 0.2}", "    labels: l.npy\n"))
    assert sorted(int(r["label"]) for r in rows) == sorted(ids[1:].tolist())


@pytest.mark.parametrize("bad", ["negative", "fraction"])
def test_labels_that_are_no_ids(run, tmp_path, bad):
    labels = np.zeros((9, 9, 9), "i4" if bad == "negative" else "f4")
    labels[4, 4, 4] = -3 if bad == "negative" else 1.5
    make_inputs.write_npy(tmp_path / "l.npy", labels)
    make_inputs.write_npy(tmp_path / "v.npy", np.zeros((9, 9, 9), "u1"))
    result = run("{path: v.npy, voxel_size_um: 0.2}", "    labels: l.npy\n")
    assert result.returncode == DATA, result.stderr
    assert ("-3" if bad == "negative" else "1.5") in result.stderr


def test_labels_of_another_shape(run, tmp_path):
    make_inputs.write_npy(tmp_path / "l.npy", np.zeros((9, 9, 8), "u1"))
    make_inputs.write_npy(tmp_path / "v.npy", np.zeros((9, 9, 9), "u1"))
    refused(run("{path: v.npy, voxel_size_um: 0.2}", "    labels: l.npy\n"), DATA, "9 x 9 x 8")


def test_crack_voxels_outside_particles_are_counted(run, tmp_path):
    labels = ball((21, 21, 21), [(10, 10, 10)], 7)
    cracks = np.zeros_like(labels, "u1")
    cracks[10, 8:13, 8:13] = 1
    cracks[0, 0, :5] = 1
    make_inputs.write_npy(tmp_path / "l.npy", labels)
    make_inputs.write_npy(tmp_path / "c.npy", cracks)
    make_inputs.write_npy(tmp_path / "v.npy", labels)
    result = run("{path: v.npy, voxel_size_um: 0.2}", "    labels: l.npy\n    cracks: c.npy\n")
    row = finished(result)[0]
    assert "5" in result.stderr and "outside" in result.stderr
    assert float(row["Damage"]) == pytest.approx(25 / (labels > 0).sum(), rel=1e-12)
    assert row["damage_source"] == "mask"


def test_anisotropic_voxels(run, tmp_path):
    h = np.array([0.2, 0.1, 0.1])
    z, y, x = np.indices((60, 120, 120))
    inside = sum(((i + 0.5) * s - 6) ** 2 for i, s in zip((z, y, x), h)) <= 4.5**2
    make_inputs.write_npy(tmp_path / "l.npy", inside.astype("u1"))
    row = finished(run("{path: l.npy, voxel_size_um: [0.2, 0.1, 0.1]}", "    labels: l.npy\n"))[0]
    assert float(row["Volume"]) == pytest.approx(4 / 3 * np.pi * 4.5**3, rel=3e-3)
    assert float(row["SurfOuter"]) == pytest.approx(4 * np.pi * 4.5**2, rel=1.5e-2)
    assert float(row["Elongation"]) == pytest.approx(1, abs=5e-3)
    assert [float(row[c]) for c in "XYZ"] == pytest.approx([6, 6, 6], abs=1e-6)


# --- 44: names that are code ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "=cmd()", "a b", "", "a/b", "..", "x" * 65])
def test_names_that_are_code_are_refused(cathoscope, tmp_path, name):
    (tmp_path / "s.yaml").write_text(f"name: x\noutput: y\nelectrodes: [{{name: {json.dumps(name)}, labels: s.yaml}}]\n")
    assert cathoscope("check", tmp_path / "s.yaml").returncode == CONFIG


# --- memory ---------------------------------------------------------------------------------------------------------

def test_an_address_space_limit_is_said(cathoscope, tmp_path):
    """Too little address space for the work is exit 71; a run with room for it then goes through from where it was."""
    make_inputs.write_npy(tmp_path / "v.npy", np.zeros((64, 1200, 1200), "u1"))
    config = write_study(tmp_path, "{path: v.npy, voxel_size_um: 0.1}")

    def limited(mib, arguments):
        command = f"ulimit -v {mib * 1024}; exec '{conftest.binary()}' {arguments}"
        # With more threads OpenBLAS, which libtorch loads, waits for ever where it gets no memory.
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False,
                              env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})

    too_little, loaded = 100, 8000
    while loaded - too_little > 20:
        between = (too_little + loaded) // 2
        if limited(between, "--version").returncode == 0:
            loaded = between
        else:
            too_little = between
    result = limited(loaded + 60, f"run '{config}' --until attributes --threads 1")
    assert result.returncode == 71, result.stderr
    assert "memory" in result.stderr
    assert cathoscope("run", config, "--until", "attributes").returncode == 0
