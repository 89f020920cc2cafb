"""What other programs' readers make of the exported files: NumPy, tifffile, Pillow, h5py, VTK.

The files come from the unit tests' sample writer. Needs a built test_unit_io, and for each reader its Python package
(Debian: python3-tifffile, python3-pil, python3-h5py, python3-vtk9); what is absent is skipped with its name.
"""

import os
import pathlib
import re
import subprocess

import conftest
import numpy as np
import pytest

SHAPE = (70, 9, 67)
VOXEL = (0.3, 0.2, 0.398)  # z, y, x
ORIGIN = (7.0, -5.0, 3.0)
IMAGE_TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
NUMBERS = {
    "label": np.array([7, 12, 2**53 + 1], np.uint64),
    "X": [1.5, 2.25, 3],
    "Y": [10, 20, 30],
    "Z": [-1, np.nan, 5],
    "Damage": [0.1, 1 / 3, np.nan],
    'a<b & "c"': [4, 5, 6],
}


def expected(kind, shape=SHAPE):
    values = 7 * np.arange(np.prod(shape), dtype=np.int64).reshape(shape) - 11
    return (values / 2).astype(kind) if kind.startswith("float") else values.astype(kind)


ROOT = pathlib.Path(__file__).resolve().parents[2]


def writer_binary():
    """That of the build under test; of any other, the latest."""
    given = os.environ.get("CATHOSCOPE_TEST_UNIT_IO")
    beside = pathlib.Path(given) if given else conftest.binary().with_name("test_unit_io")
    found = [beside] if given or beside.exists() else sorted(ROOT.glob("build/*/bin/test_unit_io"), key=os.path.getmtime)
    if not found or not found[-1].exists():
        pytest.skip("test_unit_io is not built")
    return found[-1]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    subprocess.run([writer_binary(), "[export_samples]"], check=True, env={**os.environ, "CATHOSCOPE_EXPORT_SAMPLES": str(folder)})
    assert not list(folder.glob("*partial*"))
    return folder


@pytest.mark.parametrize("kind", IMAGE_TYPES + ["uint64", "int64"])
def test_npy_volume(samples, kind):
    values = np.load(samples / f"{kind}.npy", allow_pickle=False)
    assert values.dtype == kind
    np.testing.assert_array_equal(values, expected(kind))
    assert np.load(samples / f"{kind}.npy", mmap_mode="r").flags.c_contiguous


@pytest.mark.parametrize("name,rows", [("points", 3), ("no_points", 0)])
def test_npy_table(samples, name, rows):
    table = np.load(samples / f"{name}.npy", allow_pickle=False)
    assert table.shape == (rows,)
    assert set(table.dtype.names) == {*NUMBERS, "source <&>"}
    if rows:
        for column, values in NUMBERS.items():
            np.testing.assert_array_equal(table[column], values)
        assert table["source <&>"].tolist() == ["crack", "", "\u00b5m \U0001f50b"]


@pytest.mark.parametrize("kind", IMAGE_TYPES)
@pytest.mark.parametrize("suffix", ["", "_raw"])
def test_tiff(samples, kind, suffix):
    tifffile = pytest.importorskip("tifffile")
    with tifffile.TiffFile(samples / f"{kind}{suffix}.tif") as file:
        assert not file.is_bigtiff and len(file.pages) == SHAPE[0]
        np.testing.assert_array_equal(file.asarray(), expected(kind))
        for page in file.pages:  # page by page too: the series may be read as one block
            np.testing.assert_array_equal(page.asarray(), expected(kind)[page.index])
        meta = file.imagej_metadata
        assert (meta["images"], meta["slices"], meta["unit"], meta["spacing"]) == (70, 70, "um", VOXEL[0])
        tags = file.pages[0].tags
        for tag, size in (("YResolution", VOXEL[1]), ("XResolution", VOXEL[2])):
            numerator, denominator = tags[tag].value
            assert max(numerator, denominator) < 2**31  # older ImageJ reads them as signed
            assert denominator / numerator == pytest.approx(size, rel=1e-6)
        assert "DateTime" not in tags


def test_bigtiff_and_single_slice(samples):
    tifffile = pytest.importorskip("tifffile")
    with tifffile.TiffFile(samples / "big.tif") as file:
        assert file.is_bigtiff
        np.testing.assert_array_equal(file.asarray(), expected("uint16"))
    np.testing.assert_array_equal(tifffile.imread(samples / "slice.tif"), expected("uint16", (9, 67)))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "float32"])
def test_pillow(samples, kind):
    image_module = pytest.importorskip("PIL.Image")
    with image_module.open(samples / f"{kind}.tif") as image:
        assert image.n_frames == SHAPE[0]
        image.seek(69)
        np.testing.assert_array_equal(np.array(image), expected(kind)[69])


def test_vtkhdf_structure(samples):
    h5py = pytest.importorskip("h5py")
    with h5py.File(samples / "image.hdf") as file:
        root = file["VTKHDF"]
        assert root.attrs["Version"].tolist() == [1, 0] and root.attrs["Type"] == b"ImageData"
        assert root.attrs["WholeExtent"].tolist() == [0, 66, 0, 8, 0, 69]
        assert root.attrs["Direction"].tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
        for kind in IMAGE_TYPES:
            data = root["PointData"][kind]
            assert data.dtype == kind and data.compression == "gzip" and data.chunks == (64, 9, 64)
            np.testing.assert_array_equal(data[:], expected(kind))


def vtk_read(path):
    vtk = pytest.importorskip("vtk")
    reader = {".hdf": vtk.vtkHDFReader, ".vti": vtk.vtkXMLImageDataReader, ".vtp": vtk.vtkXMLPolyDataReader}[path.suffix]()
    problems = []
    reader.AddObserver("ErrorEvent", lambda *_: problems.append("error"))
    reader.GetExecutive().AddObserver("ErrorEvent", lambda *_: problems.append("error"))
    assert reader.CanReadFile(str(path))
    reader.SetFileName(str(path))
    reader.Update()
    assert not problems
    return reader.GetOutput()


def vtk_values(data, name):
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(data.GetArray(name))


def test_vtk_image(samples):
    image = vtk_read(samples / "image.hdf")
    assert image.GetDimensions() == SHAPE[::-1]
    assert image.GetSpacing() == VOXEL[::-1]
    assert image.GetOrigin() == pytest.approx([o + v / 2 for o, v in zip(ORIGIN[::-1], VOXEL[::-1])])
    for kind in IMAGE_TYPES:
        values = vtk_values(image.GetPointData(), kind)
        assert values.dtype == kind
        np.testing.assert_array_equal(values.reshape(SHAPE), expected(kind))


def test_vtk_image_of_many_chunks(samples):
    shape = (65, 130, 129)
    image = vtk_read(samples / "large.hdf")
    np.testing.assert_array_equal(vtk_values(image.GetPointData(), "values").reshape(shape), expected("uint32", shape))


def test_vti(samples):
    image = vtk_read(samples / "image.vti")
    assert image.GetDimensions() == tuple(n + 1 for n in SHAPE[::-1])  # points; the cells are the voxels
    assert image.GetSpacing() == VOXEL[::-1]
    assert image.GetOrigin() == ORIGIN[::-1]
    for kind in IMAGE_TYPES:
        values = vtk_values(image.GetCellData(), kind)
        assert values.dtype == kind
        np.testing.assert_array_equal(values.reshape(SHAPE), expected(kind))
    # a voxel by its place in space
    cell = image.FindCell([3 + 66.5 * 0.398, -5 + 8.5 * 0.2, 7 + 69.5 * 0.3], None, 0, 0.0, vtk_id(), [0.0] * 3, [0.0] * 8)
    assert vtk_values(image.GetCellData(), "int32")[cell] == expected("int32")[69, 8, 66]


def vtk_id():
    import vtk

    return vtk.reference(0)


def test_vti_slice(samples):
    image = vtk_read(samples / "slice.vti")
    np.testing.assert_array_equal(vtk_values(image.GetCellData(), "slice").reshape(9, 67), expected("uint16", (9, 67)))


@pytest.mark.parametrize("ending", [".hdf", ".vtp"])
def test_vtk_points(samples, ending):
    from_file = vtk_read(samples / f"points{ending}")
    assert [from_file.GetPoint(i) for i in range(3)] == [(1.5, 10, -1), (2.25, 20, 0), (3, 30, 5)]
    assert [from_file.GetCell(i).GetCellType() for i in range(from_file.GetNumberOfCells())] == [1, 1, 1]
    for column, values in NUMBERS.items():
        np.testing.assert_array_equal(vtk_values(from_file.GetPointData(), column), values)
    assert from_file.GetPointData().GetNumberOfArrays() == len(NUMBERS)


@pytest.mark.parametrize("ending", [".hdf", ".vtp"])
def test_vtk_no_points(samples, ending):
    assert vtk_read(samples / f"no_points{ending}").GetNumberOfPoints() == 0


def documented_snippets():
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text(), re.S)


@pytest.mark.parametrize("snippet", documented_snippets())
def test_documented_snippet(samples, snippet, monkeypatch):
    for module in re.findall(r"^(?:import|from) (\w+)", snippet, re.M):
        pytest.importorskip(module)
    monkeypatch.chdir(samples)
    names = {}
    exec(snippet, names)  # noqa: S102: our own documentation
    if "labels" in names:
        np.testing.assert_array_equal(names["labels"], expected("uint16"))
    if "scale" in names:
        assert names["scale"] == pytest.approx(VOXEL, rel=1e-6)
    if "table" in names:
        np.testing.assert_array_equal(names["table"]["Damage"], NUMBERS["Damage"])
    assert names.keys() & {"labels", "table"}
