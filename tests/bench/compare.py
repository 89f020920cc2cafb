#!/usr/bin/python3
"""Cathoscope beside the peers that are installed, on the same input in the same run (docs/comparison.md).

Usage: tests/bench/compare.py --nrel nmc-1-cal.tif [--elasticity build/bench/bin/bench_elasticity] [PART...]
Parts: reading, segmentation, attributes, shap, elasticity (all by default). Every contender is a process of its own with one
thread; printed are its processor seconds (user and system, start and imports included), for Python also those of the work
alone, its peak resident memory, and how well the results agree. Peers that are not installed are named and left out.
"""
import argparse
import csv
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CCX_NPROC_EQUATION_SOLVER": "1"}
VOXEL = 0.398  # um, of the measured electrode


def run(title, command, **more):
    """Runs a process to its end and prints what it took."""
    started = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | ONE_THREAD, **more)
    out, err = started.stdout.read(), started.stderr.read()
    _, status, usage = os.wait4(started.pid, 0)
    if status:
        sys.exit(f"{title}: {' '.join(map(str, command))} ended with {status}\n{out[-2000:]}{err[-2000:]}")
    work = [line for line in out.splitlines() if line.startswith("work ")]
    alone = f"{float(work[0].split()[1]):8.2f}" if work else "        "
    print(f"  {title:46} {usage.ru_utime + usage.ru_stime:8.2f} s {alone}   {usage.ru_maxrss / 1024:6.0f} MB", flush=True)
    return out


def peer(title, name, *arguments):
    return run(title, [sys.executable, __file__, "--peer", name, *arguments])


def installed(*modules):
    absent = [m for m in modules if importlib.util.find_spec(m) is None]
    for m in absent:
        print(f"  {m} is not installed: left out")
    return not absent


def columns_of(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))

    def number(text):
        try:
            return float(text)
        except ValueError:
            return np.nan

    return {name: np.array([number(row[name]) for row in rows]) for name in rows[0]}


def agreement(name, ours, theirs):
    ok = np.isfinite(ours) & np.isfinite(theirs)
    a, b = ours[ok], theirs[ok]
    scale = np.abs(b).mean()
    print(f"    {name:12} n {ok.sum():5d}   r {np.corrcoef(a, b)[0, 1]:.6f}   median ratio {np.median(a / b):.5f}   "
          f"largest difference over the mean {np.abs(a - b).max() / scale:.2e}")


# --- what the peers do, each in its own process ---------------------------------------------------------------------------


def peer_read(tif, out):
    import hashlib

    import h5py
    import tifffile
    volume = tifffile.imread(tif)
    hashlib.sha256(pathlib.Path(tif).read_bytes()).hexdigest()
    np.percentile(volume, [1, 99.8])
    with h5py.File(out, "w") as file:
        file.create_dataset("volume", data=volume, chunks=(64, 64, 64))


def peer_watershed(tif, out, spacing):
    """The recipe of scikit-image's gallery: distance transform, its peaks as markers, watershed."""
    import tifffile
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed
    active = tifffile.imread(tif) == 1
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(active), 1)
    peaks = peak_local_max(distance, min_distance=int(spacing), labels=active.astype(np.uint8), exclude_border=False)
    markers = np.zeros(active.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    np.save(out, watershed(-distance, markers, mask=active).astype(np.uint16))


def peer_properties(labels, out):
    """Volume, centroid, covariance, surface of the marching cubes, distance to the 6 nearest."""
    from scipy.spatial import cKDTree
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops
    found = regionprops(np.load(labels))
    centre = np.array([p.centroid for p in found]) * VOXEL + VOXEL / 2
    table = {"Volume": [p.area * VOXEL**3 for p in found], "X": centre[:, 2], "Y": centre[:, 1], "Z": centre[:, 0],
             "DistNearest": cKDTree(centre).query(centre, 7)[0][:, 1:].mean(axis=1), "Elongation": [], "SurfOuter": []}
    for p in found:
        inertia = np.array(p.inertia_tensor_eigvals)
        spread = inertia.sum() / 2 - inertia + 1 / 12  # eigenvalues of the covariance, a voxel being a cube
        table["Elongation"].append(np.sqrt(spread.max() / spread.min()))
        body = np.pad(p.image, 1).astype(np.float32)
        vertices, faces, _, _ = marching_cubes(body, 0.5)
        table["SurfOuter"].append(mesh_surface_area(vertices, faces) * VOXEL**2)
    np.savez(out, **table)


def peer_shap(table, model, out, interactions):
    import xgboost
    x = np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.float32)
    booster = xgboost.Booster({"nthread": 1}, model_file=model)
    matrix = xgboost.DMatrix(x, nthread=1)
    np.save(out, booster.predict(matrix, pred_interactions=True) if interactions == "1" else
            booster.predict(matrix, pred_contribs=True))


# --- the parts ------------------------------------------------------------------------------------------------------------


def study(folder, nrel, more=""):
    path = folder / "nrel.yaml"
    path.write_text(f"name: nrel\noutput: out\nelectrodes:\n  - name: nmc\n    volume: {{path: {nrel}, voxel_size_um: {VOXEL}, "
                    "physical_faces: []}\nsegmentation: {method: phases, active_phase: 1}\n" + more)
    return path


def stage(program, folder, nrel, name):
    return run(f"cathoscope run --only {name}",
               [program, "run", study(folder, nrel), "--only", name, "--threads", "1"])


def reading(program, folder, nrel):
    print("reading: multi-page PackBits TIFF, 22.7 Mvoxel, to a chunked HDF5 file, with SHA-256 and percentiles")
    stage(program, folder, nrel, "volume")
    if not installed("tifffile", "h5py"):
        return
    peer("tifffile + NumPy + h5py", "read", nrel, folder / "peer.h5")
    import h5py
    with h5py.File(folder / "peer.h5") as a, h5py.File(folder / "out/nmc/volume.h5") as b:
        print("    voxels that differ:", int((a["volume"][:] != b["volume"][:]).sum()))


def segmentation(program, folder, nrel):
    print("segmentation: phases to particles by distance and watershed, 22.7 Mvoxel")
    stage(program, folder, nrel, "segmentation")
    run("cathoscope export (labels for the peers)", [program, "export", folder / "out", "--stage", "segmentation",
                                                    "--format", "npy", "--output", folder / "export"])
    next((folder / "export").rglob("labels.npy")).rename(folder / "labels.npy")
    ours = np.load(folder / "labels.npy")
    if not installed("skimage", "scipy", "tifffile"):
        return
    for spacing in (4, 8):
        theirs = folder / f"watershed{spacing}.npy"
        peer(f"scikit-image, peaks at least {spacing} voxels apart", "watershed", nrel, theirs, spacing)
        score = run("cathoscope evaluate (their labels, ours as truth)",
                    [program, "evaluate", "--prediction", theirs, "--truth", folder / "labels.npy",
                     "--voxel-size-um", str(VOXEL)])
        at = json.loads(score)["strict"]["0.50"]
        print(f"    particles: {ours.max()} ours, {np.load(theirs).max()} theirs; "
              f"voxels in particles: {(ours > 0).sum()} and {(np.load(theirs) > 0).sum()}; "
              f"matched at IoU 0.5: {at['tp']}")


def attributes(program, folder, nrel):
    print("attributes: those of the same labels that a peer has, 1,498 particles")
    stage(program, folder, nrel, "attributes")
    if not installed("skimage", "scipy"):
        return
    peer("scikit-image regionprops, marching_cubes", "properties", folder / "labels.npy", folder / "props.npz")
    ours, theirs = columns_of(folder / "out/nmc/attributes.csv"), np.load(folder / "props.npz")
    whole = ours["touches_border"] == 0  # where cut, a surface is ours only as far as it is one
    for name in theirs.files:
        agreement(name, ours[name][whole], theirs[name][whole])


def forest_of(model, names, path):
    """xgboost's trees as scikit-learn's arrays: x < t becomes x <= the float32 before t, the cover the sum of weights."""
    learner = json.loads(pathlib.Path(model).read_text())["learner"]
    trees = []
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, cut = np.array(tree["left_children"]), np.array(tree["split_conditions"], np.float32)
        leaf = left < 0
        below = np.nextafter(cut, np.float32(-np.inf))
        trees.append({"children_left": left.tolist(), "children_right": tree["right_children"],
                      "feature": np.where(leaf, -2, tree["split_indices"]).tolist(),
                      "threshold": np.where(leaf, -2, below).astype(float).tolist(),
                      "value": cut.astype(float).tolist(), "weighted_n_node_samples": tree["sum_hessian"]})
    path.write_text(json.dumps({"n_features": len(names), "feature_names": names, "trees": trees}))
    return len(trees), float(learner["learner_model_param"]["base_score"])


def shap(program, folder, _):
    print("exact Shapley values of one forest: 40 trees of 30 leaves, 21 columns")
    if not installed("xgboost"):
        return
    import xgboost
    random = np.random.default_rng(1)
    x = random.normal(size=(20000, 21)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3] + 0.1 * random.normal(size=len(x))
    booster = xgboost.train({"max_leaves": 30, "max_depth": 0, "grow_policy": "lossguide", "tree_method": "hist",
                             "eta": 0.3, "nthread": 1}, xgboost.DMatrix(x, y), 40)
    model, forest, names = folder / "model.json", folder / "forest.json", [f"f{i}" for i in range(21)]
    booster.save_model(model)
    trees, base = forest_of(model, names, forest)
    for rows, pairs in ((20000, 0), (500, 1)):
        table = folder / f"table{rows}.csv"
        np.savetxt(table, x[:rows], delimiter=",", header=",".join(names), comments="", fmt="%.9g")
        command = [program, "explain", "--forest", forest, "--table", table, "--output", folder / "shap.csv", "--threads", "1"]
        what = f"{rows:,} rows" + (", interactions" if pairs else "")
        run(f"cathoscope explain, {what}", command + (["--interactions", folder / "pairs.csv"] if pairs else []))
        peer(f"xgboost {xgboost.__version__} (TreeSHAP), {what}", "shap", table, model, folder / "shap.npy", pairs)
        theirs = np.load(folder / "shap.npy").astype(float)
        if pairs:
            found = columns_of(folder / "pairs.csv")
            where = [(i, j) for i in range(21) for j in range(i, 21)]
            error = max(np.abs(found[f"f{i}:f{j}"] - theirs[:, i, j]).max() for i, j in where)
        else:
            found = columns_of(folder / "shap.csv")
            # Leaves are summed trees here and their mean in a forest of scikit-learn: the factor is the number of trees.
            ours = np.column_stack([found[n] for n in names])
            factor = trees if np.abs(ours * trees - theirs[:, :-1]).max() < np.abs(ours - theirs[:, :-1]).max() else 1
            error = np.abs(ours * factor - theirs[:, :-1]).max()
        if pairs:
            error = min(error, max(np.abs(found[f"f{i}:f{j}"] * trees - theirs[:, i, j]).max() for i, j in where))
        print(f"    largest difference {error:.1e}; largest value {np.abs(theirs[..., :-1]).max():.2f} (base {base:.2g}; "
              "theirs are float32)")


def calculix_input(file, path, solver):
    """The problem that bench_elasticity wrote, with the two sides of the interface made one."""
    data = pathlib.Path(file).read_bytes()
    nodes, tets, facets = np.frombuffer(data, np.int64, 3)
    at = 24

    def take(kind, *shape):
        nonlocal at
        values = np.frombuffer(data, kind, int(np.prod(shape)), at).reshape(shape)
        at += values.nbytes
        return values

    place, faces, tet = take(np.float64, nodes, 3), take(np.uint8, nodes), take(np.int32, tets, 10)
    domain, sides, u = take(np.int32, tets), take(np.int32, facets, 2, 6), take(np.float64, nodes, 3)
    one = np.arange(nodes)
    one[sides[:, 1].ravel()] = sides[:, 0].ravel()
    tet, used = one[tet], np.unique(one)
    lines = ["*NODE,NSET=ALL"] + [f"{i + 1},{x:.12e},{y:.12e},{z:.12e}" for i, (x, y, z) in zip(used, place[used] * 1e6)]
    for name, which in (("P", domain >= 0), ("B", domain < 0)):
        lines += [f"*ELEMENT,TYPE=C3D10,ELSET={name}"]
        lines += [",".join(map(str, [i + 1, *(tet[i] + 1)])) for i in np.flatnonzero(which)]
    # um, N and MPa um2 = 1e-6 N: any consistent set of units gives the same displacement.
    for name, modulus, expansion in (("P", 140e3, -1), ("B", 2e3, 0)):
        lines += [f"*MATERIAL,NAME={name}", "*ELASTIC", f"{modulus},0.3", "*EXPANSION,ZERO=0", f"{expansion}",
                  f"*SOLID SECTION,ELSET={name},MATERIAL={name}"]
    lines += ["*INITIAL CONDITIONS,TYPE=TEMPERATURE", "ALL,0", "*BOUNDARY"]
    for bits, axis in ((3, 1), (12, 2), (48, 3)):
        lines += [f"{i + 1},{axis},{axis}" for i in used if faces[i] & bits]
    lines += ["*STEP", f"*STATIC{solver}", "*TEMPERATURE", "ALL,0.001", "*NODE PRINT,NSET=ALL", "U", "*END STEP"]
    path.write_text("\n".join(lines) + "\n")
    return used, u


def elasticity(bench, folder):
    print("elasticity: an eighth of a swelling particle in soft binder, ten-node tetrahedra, rollers on every face")
    if not (bench and pathlib.Path(bench).exists()):
        return print("  give --elasticity build/bench/bin/bench_elasticity (preset bench)")
    if not shutil.which("ccx"):
        print("  ccx (CalculiX) is not installed: left out")
    for cells, solvers in ((12, (("SPOOLES (direct)", ",SOLVER=SPOOLES"), ("iterative, Cholesky", ",SOLVER=ITERATIVE CHOLESKY"))),
                           (18, (("iterative, Cholesky", ",SOLVER=ITERATIVE CHOLESKY"),))):
        file = folder / f"e{cells}.bin"
        out = run(f"bench_elasticity, {cells} cells an edge", [bench, "1", str(cells), file])
        print("    " + out.splitlines()[1].strip())
        for title, solver in solvers if shutil.which("ccx") else ():
            used, u = calculix_input(file, folder / "job.inp", solver)
            run(f"CalculiX, {title}, {3 * len(used):,} unknowns", ["ccx", "-i", "job"], cwd=folder)
            rows = [line.split() for line in (folder / "job.dat").read_text().splitlines()]
            theirs = {int(r[0]): [float(v) for v in r[1:]] for r in rows if len(r) == 4 and r[0].isdigit()}
            error = np.array([theirs[i + 1] for i in used]) * 1e-6 - u[used]
            print(f"    displacement: root mean square of the difference over that of the value "
                  f"{np.sqrt((error**2).sum() / (u[used] ** 2).sum()):.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--binary", default=ROOT / "build/release/bin/cathoscope")
    parser.add_argument("--nrel", type=pathlib.Path)
    parser.add_argument("--elasticity")
    options = parser.parse_args()
    wanted = options.parts or ["reading", "segmentation", "attributes", "shap", "elasticity"]
    print(f"  {'one thread each':46}   process  of it work   peak memory")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name, part in (("reading", reading), ("segmentation", segmentation), ("attributes", attributes), ("shap", shap)):
            if name in wanted and name != "shap" and not options.nrel:
                print(f"{name}: give --nrel, the measured electrode")
            elif name in wanted:
                part(options.binary, folder, options.nrel and options.nrel.resolve())
        if "elasticity" in wanted:
            elasticity(options.elasticity, folder)


if len(sys.argv) > 2 and sys.argv[1] == "--peer":
    work = globals()["peer_" + sys.argv[2]]
    before = time.process_time()
    work(*sys.argv[3:])
    print("work", time.process_time() - before)
else:
    main()
