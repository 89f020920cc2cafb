"""Every stage and every command that writes results: killed at random moments and at random writes, run again, same bytes.

The fast suite kills each twice; with CATHOSCOPE_LONG_TESTS each is killed 24 times. Moments are shares of the time that the
stage takes undisturbed, from a seeded stream; writes are counted by a preloaded library (interruptions.c), so that they hit
half-written files, the moments between sync and rename, and those between results and record.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import conftest
import make_inputs
import numpy as np
import pytest
import test_train

LONG = bool(os.environ.get("CATHOSCOPE_LONG_TESTS"))
KILLS = 24 if LONG else 2
STOPPED = 75
TIMES = {"seconds", "run", "modified_ns"}  # of a record

NETWORK = ["--set", "segmentation.method=network", "--set", "segmentation.views=axial3", "--set",
           "segmentation.particle_diameter_um=9.6", "--set", "segmentation.model=" + str(conftest.SOURCE / "data/models/ci.h5")]
ELEMENTS = ["--set", "chemomechanics.model=finite_elements", "--set", "chemomechanics.mesh.h_over_R=0.5", "--set",
            "chemomechanics.protocol.cycles=1", "--set", "chemomechanics.geometry.particles=2", "--set",
            "chemomechanics.geometry.coverage=[0.3, 0.6]"]
# name: (stage, records that are taken away so that it must run, more arguments)
STAGES = {
    "volume": ("volume", ["e1/volume.json"], []),
    "segmentation by watershed": ("segmentation", ["e1/segmentation.json"], []),
    "segmentation by network": ("segmentation", ["e1/segmentation.json"], NETWORK),
    "attributes": ("attributes", ["e1/attributes.json"], []),
    "latent": ("latent", ["latent.json"], []),
    "regression": ("regression", ["e1/contributions.json", "regression.json", "statistics.json"], []),
    "chemomechanics": ("chemomechanics", ["chemomechanics.json"], []),
    "figures": ("figures", ["figures.json", "report.json"], []),
    "report": ("figures", ["report.json"], []),
}
if LONG:
    STAGES["chemomechanics in three dimensions"] = ("chemomechanics", ["chemomechanics.json"], ELEMENTS)


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def content(path):
    """What must be the same after an interruption: everything but times, host, and the log that the report shows."""
    data = path.read_bytes()
    if path.name == "report.html":
        return data.partition(b"<!-- provenance -->")[0] + data.partition(b"<!-- end of provenance -->")[2]
    if path.suffix == ".json":
        value = json.loads(data)
        if path.name == "report.json":
            value.pop("outputs")  # the size and hash of a page that shows times
        return json.dumps(without_times(value)) if isinstance(value, dict) and "key" in value else data
    return data


def snapshot(folder):
    return {str(p.relative_to(folder)): content(p) for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name not in {"log.txt", "provenance.json", "ro-crate-metadata.json", ".lock"}}


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []


def start(arguments, environment=None):
    return subprocess.Popen([conftest.binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})})


def run(arguments, environment=None):
    process = start(arguments, environment)
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output
    return output


class Work:
    """Something that can be killed and done again: `arguments(folder)` does it in a folder that `prepare` made."""

    def __init__(self, shim, tmp_path, prepare, arguments, again, name):
        self.shim, self.tmp_path, self.prepare, self.arguments, self.again = shim, tmp_path, prepare, arguments, again
        self.random = random.Random(name)
        self.environment = {"LD_PRELOAD": str(shim), "INTERRUPT_PROGRAM": conftest.binary().name}

    def measure(self):
        """Undisturbed: its seconds, its number of writes."""
        folder = self.tmp_path / "measured"
        self.prepare(folder)
        count = self.tmp_path / "count"
        begin = time.monotonic()
        run(self.arguments(folder), {**self.environment, "INTERRUPT_COUNT": str(count)})
        return time.monotonic() - begin, int(count.read_text()), folder

    def kill_at(self, seconds, event, number, folder):
        """True if it was interrupted, False if it had finished before."""
        self.prepare(folder)
        environment = {**self.environment, "INTERRUPT_AT": str(event), "INTERRUPT_SIGNAL": str(int(number))} if event else None
        process = start(self.arguments(folder), environment)
        if not event:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        output, _ = process.communicate()
        assert process.returncode in (0, -number, *([STOPPED] if number != signal.SIGKILL else [])), output
        return process.returncode != 0

    def kill_and_go_on(self, expected):
        seconds, events, measured = self.measure()
        assert_same(snapshot(measured), expected)
        killed = 0
        for k in range(KILLS):
            folder = self.tmp_path / f"killed{k}"
            event = self.random.randint(1, events) if k % 2 else 0
            number = signal.SIGTERM if k % 6 == 5 else signal.SIGKILL
            killed += self.kill_at(self.random.uniform(0.05, 1) * seconds, event, number, folder)
            if not folder.exists() or snapshot(folder) != expected:  # else it was over
                run(self.again(folder))
            assert_same(snapshot(folder), expected)
            shutil.rmtree(folder)
        assert killed >= KILLS // 3  # those at a write always are
        return killed


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Runs that nobody interrupted, one for each set of arguments."""
    folder = tmp_path_factory.mktemp("whole")
    config = make_inputs.write_study(folder, "{trees: 3, seeds: 2, subsets: 1, half_samples: 4, permutations: 5}")
    made = {}

    def of(more):
        output = folder / f"out{len(made)}"
        if tuple(more) not in made:
            run(["run", config, "--output", output, *more])
            made[tuple(more)] = output
        return config, made[tuple(more)]

    return of


@pytest.mark.parametrize("name", STAGES)
def test_a_killed_stage_goes_on_to_the_same_bytes(name, whole, shim, tmp_path):
    stage, records, more = STAGES[name]
    config, done = whole(more)
    expected = snapshot(done)

    def prepare(folder):
        shutil.copytree(done, folder)
        for record in records:
            for file in json.loads((folder / record).read_text())["outputs"]:
                ((folder / record).parent / file["file"]).unlink()
            (folder / record).unlink()

    work = Work(shim, tmp_path, prepare, lambda folder: ["run", config, "--output", folder, "--only", stage, *more],
                lambda folder: ["run", config, "--output", folder, *more], name)
    work.kill_and_go_on(expected)


def test_a_killed_regression_uses_the_forests_that_it_had(whole, tmp_path):
    more = ["--set", "regression.permutations=60"]
    config, done = whole(more)
    folder, journal = tmp_path / "out", tmp_path / "out/e1/.contributions.journal"
    shutil.copytree(done, folder)
    for record in STAGES["regression"][1]:
        (folder / record).unlink()
    process = start(["run", config, "--output", folder, "--only", "regression", *more])
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 20):
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    output = run(["run", config, "--output", folder, *more])
    assert "forests that were finished before are used" in output
    assert_same(snapshot(folder), snapshot(done))
    assert not journal.exists()


# --- commands that write results of their own -----------------------------------------------------------------------

def explored(folder, _):
    (folder / "model.yaml").write_text("name: model\noutput: out\nelectrodes: []\nstages: chemomechanics\nchemomechanics:\n"
                                       "  protocol: {cycles: 1}\n  time: {dtau_charge: 0.05, dtau_discharge: 0.1}\n")
    return lambda out: ["explore", folder / "model.yaml", "--study", "laws", "--output", out]


def trained(folder, _):
    for seed, letter in enumerate("ab"):
        grey, labels = test_train.discs(seed)
        make_inputs.write_npy(folder / f"{letter}.npy", grey)
        make_inputs.write_npy(folder / f"{letter}_labels.npy", labels)

    def arguments(out):
        out.mkdir(exist_ok=True)
        for file in folder.glob("*.npy"):
            if not (out / file.name).exists():
                os.link(file, out / file.name)
        test_train.write_config(out)
        return ["train", out / "train.yaml", "--threads", 2, "--device", "cpu"]

    return arguments


def merged(folder, _):
    config = make_inputs.write_study(folder, "{trees: 3, seeds: 2, subsets: 1, half_samples: 4, permutations: 5}")
    config.write_text(config.read_text().replace("    volume: {path: grey.npy, voxel_size_um: 0.2}\n",
                                                 "    volume: {path: grey.npy, voxel_size_um: 0.2}\n  - name: e2\n"
                                                 "    volume: {path: grey.npy, voxel_size_um: 0.4}\n"))
    for i in (1, 2):
        run(["run", config, "--output", folder / "out", "--shard", f"{i}/2", "--until", "volume"])
    return lambda out: ["merge", folder / "out.shard-1-of-2", folder / "out.shard-2-of-2", "--output", out]


def exported(stage, format_):
    def of(_, whole):
        _, done = whole([])
        return lambda out: ["export", done, "--stage", stage, "--format", format_, "--output", out]

    return of


def explained(folder, _):
    run(["phantom", "--preset", "paper10", "--tables-only", "--rows", 3000, "--output", folder / "table"])
    run(["fit", "--table", folder / "table/attributes.csv", "--output", folder / "forest.json"])

    def arguments(out):
        out.mkdir(exist_ok=True)
        return ["explain", "--forest", folder / "forest.json", "--table", folder / "table/attributes.csv", "--output",
                out / "shap.csv"]

    return arguments


COMMANDS = {
    "phantom": lambda folder, whole: lambda out: ["phantom", "--preset", "tiny", "--set", "shape=[40, 48, 48]", "--seed", 3, "--output",
                                           out],
    "phantom, a table": lambda folder, whole: lambda out: ["phantom", "--preset", "paper10", "--tables-only", "--rows", 3000,
                                                    "--output", out],
    "train": trained,
    "explore": explored,
    "merge": merged,
    "export tiff": exported("segmentation", "tiff"),
    "export vtk": exported("segmentation", "vtk"),
    "export npy": exported("volume", "npy"),
    "explain": explained,
}


def weights_without_time(path):
    import h5py
    with h5py.File(path) as f:
        values = {name: np.asarray(item).tobytes() for name, item in f.items() if isinstance(item, h5py.Dataset)}
        return values, {k: np.asarray(v).tobytes() for k, v in f.attrs.items() if "seconds" not in k}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_run_again_gives_the_same_bytes(name, whole, shim, tmp_path, monkeypatch):
    (tmp_path / "inputs").mkdir()
    arguments = COMMANDS[name](tmp_path / "inputs", whole)
    if name == "train":  # its files say how long it took
        plain = content
        monkeypatch.setitem(globals(), "content",
                            lambda path: weights_without_time(path) if path.suffix == ".h5" else plain(path))
    run(arguments(tmp_path / "expected"))
    expected = snapshot(tmp_path / "expected")
    Work(shim, tmp_path, lambda folder: None, arguments, arguments, name).kill_and_go_on(expected)


# --- a wish to stop, in every stage ---------------------------------------------------------------------------------

def incomplete(whole, name, folder):
    """A copy of the finished run without one stage."""
    stage, records, more = STAGES[name]
    config, done = whole(more)
    shutil.copytree(done, folder)
    for record in records:
        (folder / record).unlink()
    (folder / "log.txt").unlink()
    return config, stage, more


def assert_stopped(process, why, folder):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == STOPPED, output
    assert f"stopped by {why}" in output and "To go on: cathoscope run" in output
    assert not list(folder.rglob("*.partial")) and not (folder / "figures.work").exists()


@pytest.mark.parametrize("name", STAGES)
def test_a_stop_file_that_is_there_lets_no_stage_finish(name, whole, tmp_path):
    config, stage, more = incomplete(whole, name, tmp_path / "out")
    (tmp_path / "stop").write_text("")
    process = start(["run", config, "--output", tmp_path / "out", "--only", stage, "--stop-file", tmp_path / "stop", *more])
    assert_stopped(process, "the stop file", tmp_path / "out")
    assert not (tmp_path / "out" / STAGES[name][1][-1]).exists()
    run(["run", config, "--output", tmp_path / "out", *more])
    assert_same(snapshot(tmp_path / "out"), snapshot(whole(more)[1]))


# What makes a stage take minutes, so that it cannot be over before it is asked to stop.
ENDLESS = {
    "latent": ["--set", "latent.bootstraps=1000000"],
    "regression": ["--set", "regression.permutations=1000000", "--set", "regression.trees=200"],
    "chemomechanics": ["--set", "chemomechanics.protocol.cycles=10000"],
    "figures": ["--set", "figures.which=[all]", "--set", "figures.formats=[svg, pdf]"],
}
HOWS = ["SIGTERM", "SIGXCPU", "the stop file", "the time limit"]


@pytest.mark.parametrize("how", HOWS if LONG else HOWS[:1] + HOWS[3:])
@pytest.mark.parametrize("name", ENDLESS)
def test_a_long_stage_stops_in_its_midst(name, how, whole, tmp_path):
    folder = tmp_path / "out"
    config, stage, _ = incomplete(whole, name, folder)
    limit = ["--time-limit", "1s"] if how == "the time limit" else []
    process = start(["run", config, "--output", folder, "--only", stage, "--stop-file", tmp_path / "stop", *limit,
                     *ENDLESS[name]])
    log = folder / "log.txt"
    while process.poll() is None and not (log.exists() and ": running (" in log.read_text()):
        time.sleep(0.005)
    if how == "the stop file":
        (tmp_path / "stop").write_text("")
    elif how.startswith("SIG"):
        process.send_signal(getattr(signal, how))
    assert_stopped(process, f"signal {int(getattr(signal, how))}" if how.startswith("SIG") else how, folder)
