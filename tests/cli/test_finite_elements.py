"""The damage model in three dimensions from the command line: tables, resuming, threads, ParaView, meshes of one's own."""
import csv
import itertools
import math
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

FARADAY = 96485.33212
RESULTS = ("chemomechanics.csv", "chemomechanics_cycles.csv", "chemomechanics.h5")
# One sphere on a coarse mesh with long steps: seconds, not accuracy.
SMALL = """  model: finite_elements
  geometry: {particles: 1, coverage: [0.6]}
  mesh: {h_over_R: 0.5}
  protocol: {cycles: 1}
  time: {dtau_charge: 0.03, dtau_discharge: 0.1}
"""


def write(folder, block=SMALL):
    file = folder / "model.yaml"
    file.write_text(f"name: model\noutput: out\nelectrodes: []\nstages: chemomechanics\nchemomechanics:\n{block}")
    return file


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results(folder):
    return [(folder / name).read_bytes() for name in RESULTS]


@pytest.fixture(scope="module")
def whole(cathoscope, tmp_path_factory):
    """Folder of an uninterrupted run on one thread, and what it said."""
    folder = tmp_path_factory.mktemp("whole")
    done = cathoscope("run", write(folder), "--threads", 1, timeout=900)
    assert done.returncode == 0, done.stderr
    return folder / "out", done.stderr


def test_groups_and_boundary_are_said_at_the_start(whole):
    for part in ("nodes", "tetrahedra", "Pi_D", "Pi_st", "K0 h/E_p", "boundary.mechanical is all_rollers"):
        assert part in whole[1]
    words = whole[1].split("dimensionless groups:")[1].split()
    assert float(words[words.index("Pi_s_low") + 1]) == pytest.approx(100 * float(words[words.index("Pi_s_high") + 1]), rel=1e-3)


def test_table_has_the_shape_and_the_physics(whole):
    table = rows(whole[0] / "chemomechanics.csv")
    assert {r["particle"] for r in table} == {"1"}
    charge = [r for r in table if r["half_cycle"] == "charge"]
    discharge = [r for r in table if r["half_cycle"] == "discharge"]
    assert len(charge) > 20 and len(discharge) > 5 and len(charge) + len(discharge) == len(table)
    x = [float(r["concentration"]) for r in charge]
    assert all(a > b for a, b in itertools.pairwise(x)) and abs(x[-1] - 0.30) < 1e-7
    assert abs(float(discharge[-1]["concentration"]) - 0.95) < 1e-7
    damage = [float(r["damage"]) for r in table]
    assert all(a <= b for a, b in itertools.pairwise(damage)) and 0.3 < damage[-1] < 1
    assert damage[len(charge) - 1] == damage[-1]  # a closing interface takes no damage
    voltage = [float(r["voltage_V"]) for r in charge]
    assert voltage[-1] > voltage[0] > 3.5
    # A tearing contact resists more; tension appears only where mechanics was needed.
    assert float(charge[-1]["interface_resistance_ohm_m2"]) > float(charge[0]["interface_resistance_ohm_m2"])
    assert charge[0]["hoop_stress_max_MPa"] == "" and float(charge[-1]["hoop_stress_max_MPa"]) > 0
    assert all(r["hoop_stress_max_MPa"] == "" for r in discharge)


def test_the_current_is_the_rate_times_the_meshed_volume_of_both_halves(whole):
    h5py = pytest.importorskip("h5py")
    numpy = pytest.importorskip("numpy")
    with h5py.File(whole[0] / "chemomechanics.h5") as file:
        nodes, tets = file["mesh/nodes_um"][:].reshape(-1, 3), file["mesh/tetrahedra"][:].reshape(-1, 10)
        particle = file["mesh/domain"][:] == 0
        corner = nodes[tets[particle][:, :4]]
        volume = 2 * (numpy.linalg.det(corner[:, 1:] - corner[:, :1]) / 6).sum() * 1e-18
        sphere = 4 / 3 * math.pi * 125e-18
        assert 0.85 * sphere < volume < sphere  # straight edges cut a sphere short
        frames = file["frames/x"]
        assert frames.shape[1:] == (len(file["frames/time_s"]), len(nodes))
        assert list(file["frames/half_cycle"][-1:]) == [2] and len(file["frames/time_s"]) >= 10
    table = rows(whole[0] / "chemomechanics.csv")
    one_c = FARADAY * 49000 * volume / 3600
    for r in table:
        assert float(r["current_A"]) == pytest.approx((5 if r["half_cycle"] == "charge" else -1) * one_c, rel=1e-9)


def test_threads_do_not_change_a_byte(cathoscope, whole, tmp_path):
    done = cathoscope("run", write(tmp_path), "--threads", 2, timeout=900)
    assert done.returncode == 0, done.stderr
    assert results(tmp_path / "out") == results(whole[0])


def test_a_run_stopped_in_mid_cycle_goes_on_to_the_same_bytes(cathoscope, whole, tmp_path):
    from conftest import binary
    h5py = pytest.importorskip("h5py")
    file = write(tmp_path)
    run = subprocess.Popen([binary(), "run", str(file), "--threads", "1"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    frames = tmp_path / "out/chemomechanics.work/fields"
    # The eighth tenth of the charge lies behind the sixteenth step, where the solver began afresh.
    while run.poll() is None and len(list(frames.glob("*.h5"))) < 8:
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=300) == 75
    with h5py.File(tmp_path / "out/chemomechanics.work/checkpoint.h5") as checkpoint:
        assert checkpoint["records"][0] == 16  # in the midst of the first charge
    again = cathoscope("run", file, "--threads", 1, timeout=900)
    assert again.returncode == 0, again.stderr
    assert results(tmp_path / "out") == results(whole[0])
    assert not (tmp_path / "out/chemomechanics.work").exists()


def test_export_opens_in_vtk(cathoscope, whole, tmp_path):
    vtk = pytest.importorskip("vtk")
    done = cathoscope("export", whole[0], "--stage", "chemomechanics", "--format", "vtk", "--output", tmp_path / "vtk")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "vtk/chemomechanics"
    moments = ElementTree.parse(folder / "chemomechanics.pvd").getroot().findall("./Collection/DataSet")
    times = [float(m.get("timestep")) for m in moments]
    assert len(times) >= 10 and times == sorted(times)
    damaged = []
    for moment in moments:
        reader = vtk.vtkXMLUnstructuredGridReader()
        reader.SetFileName(str(folder / moment.get("file")))
        reader.Update()
        grid = reader.GetOutput()
        assert grid.GetNumberOfCells() > 100 and grid.GetCellType(0) == vtk.VTK_QUADRATIC_TETRA
        x, damage = (grid.GetPointData().GetArray(name).GetRange() for name in ("x", "damage"))
        assert x[0] == 0 and 0.2 < x[1] < 1 and damage[0] == 0
        damaged.append(damage[1])
    assert damaged == sorted(damaged) and 0.5 < damaged[-1] <= 1
    charged = [m.get("file") for m, t in zip(moments, times) if abs(t - 0.65 * 720) < 1e-6]
    reader.SetFileName(str(folder / charged[0]))
    reader.Update()
    assert reader.GetOutput().GetPointData().GetArray("displacement_um").GetNumberOfComponents() == 3
    assert reader.GetOutput().GetCellData().GetArray("hydrostatic_MPa").GetRange()[1] > 0


def test_export_copies_tables_and_says_that_a_network_has_no_mesh(cathoscope, tmp_path):
    file = write(tmp_path, "  protocol: {cycles: 1}\n")
    assert cathoscope("run", file).returncode == 0
    refused = cathoscope("export", tmp_path / "out", "--stage", "chemomechanics", "--format", "vtk")
    assert refused.returncode == 66 and "model: network" in refused.stderr
    assert cathoscope("export", tmp_path / "out", "--stage", "chemomechanics", "--format", "csv").returncode == 0
    copied = tmp_path / "out/export/chemomechanics/chemomechanics.csv"
    assert copied.read_bytes() == (tmp_path / "out/chemomechanics.csv").read_bytes()


def test_divergence_is_1_with_a_report(cathoscope, tmp_path):
    block = SMALL.replace("{cycles: 1}", "{cycles: 1, charge_C: 200, V_max: 1000}")
    done = cathoscope("run", write(tmp_path, block), timeout=900)
    assert done.returncode == 1, done.stderr
    for part in ("cycle 1, charge, at ", "Worst at (", "in particle 1", "Residuals:", "Likely: protocol.charge_C",
                 "last_good.h5"):
        assert part in done.stderr
    assert (tmp_path / "out/chemomechanics.work/last_good.h5").exists()
    assert not (tmp_path / "out/chemomechanics.csv").exists()


def box_mesh():
    """A block of 4 x 4 x 2 um in the middle of the mirror plane of a box, in Gmsh's format: cubes of six tetrahedra."""
    n, cells = (5, 5, 3), list(itertools.product(range(4), range(4), range(2)))
    tag = {p: k + 1 for k, p in enumerate(itertools.product(*map(range, n)))}
    elements = {"binder": [], "particle_a": []}
    for cell in cells:
        inside = cell[0] in (1, 2) and cell[1] in (1, 2) and cell[2] == 0
        for order in itertools.permutations(range(3)):
            corners, at = [tag[cell]], list(cell)
            for axis in order:
                at[axis] += 1
                corners.append(tag[tuple(at)])
            elements["particle_a" if inside else "binder"].append(corners)
    text = ["$MeshFormat", "4.1 0 8", "$EndMeshFormat", "$PhysicalNames", "2", '3 7 "particle_a"', '3 4 "binder"',
            "$EndPhysicalNames", "$Entities", "0 0 0 2", "1 0 -4 0 8 4 4 1 4 0", "2 2 -2 0 6 2 2 1 7 0",
            "$EndEntities", "$Nodes", f"1 {len(tag)} 1 {len(tag)}", f"3 1 0 {len(tag)}", *map(str, tag.values())]
    text += [f"{2 * x} {2 * y - 4} {2 * z}" for x, y, z in tag]
    text += ["$EndNodes", "$Elements", f"2 {6 * len(cells)} 1 {6 * len(cells)}"]
    count = itertools.count(1)
    for entity, name in ((1, "binder"), (2, "particle_a")):
        text.append(f"3 {entity} 4 {len(elements[name])}")
        text += [" ".join(map(str, (next(count), *corners))) for corners in elements[name]]
    return "\n".join([*text, "$EndElements", ""])


def test_a_mesh_of_ones_own(cathoscope, tmp_path):
    (tmp_path / "box.msh").write_text(box_mesh())
    block = SMALL.replace("mesh: {h_over_R: 0.5}", "mesh: {file: box.msh}").replace("cycles: 1", "cycles: 1, charge_C: 1")
    done = cathoscope("run", write(tmp_path, block), timeout=900)
    assert done.returncode == 0, done.stderr
    table = rows(tmp_path / "out/chemomechanics.csv")
    volume = 2 * 4 * 4 * 2 * 1e-18
    assert float(table[0]["current_A"]) == pytest.approx(FARADAY * 49000 * volume / 3600, rel=1e-9)
    again = cathoscope("run", tmp_path / "model.yaml")
    assert "up to date" in again.stderr
    (tmp_path / "box.msh").write_text(box_mesh().replace("4.1 0 8", "2.2 0 8"))
    refused = cathoscope("run", tmp_path / "model.yaml")
    assert refused.returncode == 65 and "box.msh:2: version 2.2" in refused.stderr
