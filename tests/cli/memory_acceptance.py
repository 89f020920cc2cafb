"""Usage: memory_acceptance.py FOLDER [EDGE [GIB]]

Does every stage keep the memory it is given? Makes a synthetic electrode of 256^3 voxels of 0.07 um, writes it, mirrored again
and again, as a volume of EDGE^3 bytes (a plane of tiles at a time; EDGE 1024 unless said), runs one stage after the other with
GIB GiB (2 for 1024, 6 for 2048), and prints peak resident memory and processor time of each beside what `check` foretold. Ends
with 1 where a stage took more than its budget. At 2048: volume, segmentation by the network, and attributes only.

At 1024 some 12 minutes of processor time and 15 GiB of disk, at 2048 eight times that. What is finished is used again. Runs
$CATHOSCOPE_BINARY, like the tests.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import conftest
import h5py

TILE = 256
SPARE = 25 << 30  # of disk, for others
QUICK = """latent: {restarts: 1, bootstraps: 20, permutations: 20}
regression: {trees: 20, seeds: 2, subsets: 1, half_samples: 5, permutations: 9}
statistics: {bootstraps: 50, permutations: 99}
chemomechanics: {geometry: {particles_from: big}, protocol: {cycles: 2}}
"""


def run(name, arguments):
    """Runs the program; peak bytes, processor seconds and elapsed seconds."""
    start = time.monotonic()
    process = subprocess.Popen([conftest.binary(), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{name} ended with {process.returncode}:\n{message[-3000:]}")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime, time.monotonic() - start


def mirrored(k, edge):
    """The planes of tile k along an axis, turned round in every second tile so that particles go on over the seam."""
    planes = slice(0, min(TILE, edge - k * TILE))
    return planes, slice(None, None, -1 if k % 2 else 1)


def make_volume(folder, edge):
    path = folder / f"volume{edge}.h5"
    if path.exists():
        return path
    if not (folder / "tile/volume.h5").exists():
        shutil.rmtree(folder / "tile", ignore_errors=True)
        run("phantom", ["phantom", "--preset", "paper10", "--output", folder / "tile", "--type", "uint8", "--set",
                        f"shape=[{TILE}, {TILE}, {TILE}]", "--set", "artefacts.padding_share=0", "--threads", 2])
    with h5py.File(folder / "tile/volume.h5", "r") as f:
        names = []
        f.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.ndim == 3 else None)
        tile = f[names[0]][...]
    partial = folder / f".volume{edge}.partial.h5"
    tiles = -(-edge // TILE)
    with h5py.File(partial, "w") as f:
        volume = f.create_dataset("volume", (edge, edge, edge), "u1")
        for k in range(tiles):
            for j in range(tiles):
                for i in range(tiles):
                    (z, turn_z), (y, turn_y), (x, turn_x) = mirrored(k, edge), mirrored(j, edge), mirrored(i, edge)
                    part = tile[turn_z, turn_y, turn_x][z, y, x]
                    volume[k * TILE:k * TILE + part.shape[0], j * TILE:j * TILE + part.shape[1],
                           i * TILE:i * TILE + part.shape[2]] = part
    partial.rename(path)
    return path


def foretold(config):
    """The line of a stage in what `check` prints, as bytes: {stage: bytes}."""
    text = subprocess.run([conftest.binary(), "check", config], capture_output=True, text=True, check=True).stdout
    units = {"B": 0, "kB": 1, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4}
    result = {}
    for line in text.splitlines():
        words = line.replace(",", "").split()
        if len(words) >= 4 and words[0] == "memory:":
            result[words[1]] = float(words[-2]) * 1024 ** units[words[-1]]
    return result


def steps_of(edge):
    """Stage, what is set, and under which name `check` foretells it."""
    if edge >= 2048:
        return [("volume", [], "volume"), ("segmentation", [], "segmentation"), ("attributes", [], "attributes")]
    watershed = ["--set", "segmentation.method=watershed"]
    rest = [(name, [], name) for name in ("attributes", "latent", "regression", "chemomechanics", "figures")]
    return [("volume", [], "volume"), ("segmentation", watershed, "segmentation"), ("segmentation", [], "segmentation"), *rest]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    edge = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    gib = float(sys.argv[3]) if len(sys.argv) > 3 else (6 if edge >= 2048 else 2)
    folder.mkdir(parents=True, exist_ok=True)
    need = 2 * edge**3  # the volume and its copy; later stages ask for the space of their scratch files themselves
    free = shutil.disk_usage(folder).free
    if free < need + SPARE:
        sys.exit(f"{folder} has {free >> 30} GiB free; {(need + SPARE) >> 30} are needed, {SPARE >> 30} of them to spare")
    model = os.environ.get("CATHOSCOPE_MODEL", conftest.SOURCE / "data/models/ci.h5")
    volume = make_volume(folder, edge)
    config = folder / f"study{edge}.yaml"
    config.write_text(f"name: memory\noutput: out{edge}\nelectrodes:\n  - name: big\n    volume: {{path: {volume.name}, "
                      f"voxel_size_um: 0.07}}\nsegmentation: {{method: network, model: {model}}}\n"
                      f"runtime: {{memory_gib: {gib}, threads: 2}}\n{QUICK}")
    told = foretold(config)
    print(f"{edge}^3 voxels, {gib:g} GiB\n{'stage':<32} {'peak MiB':>9} {'foretold':>9} {'CPU s':>8} {'elapsed s':>10}")
    worst = 0
    for stage, more, name in steps_of(edge):
        peak, cpu, elapsed = run(stage, ["run", config, "--only", stage, *more])
        worst = max(worst, peak)
        said = f"{told[name] / (1 << 20):9.0f}" if name in told else f"{'-':>9}"
        print(f"{' '.join([stage, *more[1:]]):<32} {peak >> 20:9} {said} {cpu:8.1f} {elapsed:10.1f}", flush=True)
    for record in sorted((folder / f"out{edge}").rglob("*.json")):
        facts = json.loads(record.read_text()).get("run")
        if isinstance(facts, dict) and "peak_memory_bytes" in facts:
            print(f"    {record.relative_to(folder)}: {facts['peak_memory_bytes'] >> 20} MiB at its peak")
    if worst > gib * (1 << 30):
        sys.exit(f"a stage took {worst >> 20} MiB, more than {gib:g} GiB")


main()
