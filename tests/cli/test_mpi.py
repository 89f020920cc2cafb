"""cathoscope-mpi under mpirun: the same bytes for any number of ranks, and what happens when one of them fails. Skipped where
the program was built without MPI (-DCATHOSCOPE_MPI=ON) or Open MPI's mpirun is not installed."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import make_inputs
import numpy as np
import pytest
from conftest import binary

USAGE, DATA, NO_INPUT, STOPPED, CONFIG = 64, 65, 66, 75, 78
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
               "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}


@pytest.fixture(scope="module")
def program():
    path = binary().with_name("cathoscope-mpi")
    if not path.is_file():
        pytest.skip("there is no cathoscope-mpi: it was built without -DCATHOSCOPE_MPI=ON")
    if not shutil.which("mpirun"):
        pytest.skip("mpirun is not installed")
    return path


def command_of(*groups):
    """mpirun of groups (number of ranks, *words of the program)."""
    words = ["mpirun"]
    for count, *command in groups:
        words += [] if len(words) == 1 else [":"]
        words += ["-np", str(count), *map(str, command)]
    return words


def start(*groups):
    return subprocess.Popen(command_of(*groups), env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process, timeout=120):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def mpirun(*groups):
    return ended(start(*groups))


def rank_process(launcher, rank):
    """The process of a rank, once it is there: a descendant of mpirun that was told its number."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = re.search(r"\) \S+ (\d+)", (folder / "stat").read_text()).group(1)
                told = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(parent) == launcher.pid and f"OMPI_COMM_WORLD_RANK={rank}".encode() in told:
                return int(folder.name)
        time.sleep(0.05)
    raise AssertionError(f"rank {rank} did not start")


def until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def electrode(tmp_path_factory, program):
    """A synthetic electrode, and what one thread makes of it without MPI: folder and results by name."""
    folder = tmp_path_factory.mktemp("ranks")
    made = subprocess.run([binary(), "phantom", "--preset", "training", "--seed", "91001", "--set", "shape=[48, 56, 60]",
                           "--output", folder / "phantom"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert made.returncode == 0, made.stderr
    (folder / "study.yaml").write_text(
        "name: ranks\noutput: out\nelectrodes:\n  - name: fine\n    volume: {path: phantom/volume.h5}\n"
        "  - name: coarse\n    volume: {path: phantom/volume.h5, bin: 2, crop: [[0, 48], [0, 56], [0, 56]]}\n"
        "segmentation: {method: network, model: builtin-ci}\nstages: [volume, segmentation, attributes]\n")
    alone = subprocess.run([binary(), "run", folder / "study.yaml", "--output", folder / "alone", "--threads", "1"],
                           capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert alone.returncode == 0, alone.stderr
    return folder


def results(output):
    """Every file that must not depend on time, host or ranks: name -> bytes."""
    times = {"log.txt", "provenance.json", "ro-crate-metadata.json", "volume.json", "segmentation.json", "attributes.json"}
    return {str(p.relative_to(output)): p.read_bytes() for p in sorted(output.rglob("*"))
            if p.is_file() and p.name not in times}


@pytest.mark.parametrize("ranks, threads, memory", [(1, 2, 0.5), (2, 1, 1), (4, 2, 0.25)])
def test_the_bytes_do_not_depend_on_ranks_threads_and_memory(electrode, program, ranks, threads, memory):
    out = electrode / f"out{ranks}"
    result = mpirun((ranks, program, "run", electrode / "study.yaml", "--output", out, "--threads", threads, "--memory", memory))
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("results: ") == 1  # rank 0 alone speaks
    assert ("ranks share" in result.stderr) == (ranks > 1)
    alone = results(electrode / "alone")
    assert any(name.endswith("attributes_matched.csv") for name in alone)
    assert results(out) == alone


def test_a_rank_that_is_killed_ends_all_and_the_next_run_goes_on(electrode, program):
    out = electrode / "killed"
    words = (2, program, "run", electrode / "study.yaml", "--output", out, "--threads", 1)
    process = start(words)
    log = out / "log.txt"
    until(lambda: log.exists() and "fine/segmentation: running" in log.read_text(), "segmentation")
    os.kill(rank_process(process, 1), signal.SIGKILL)
    result = ended(process, 30)
    assert result.returncode not in (0, STOPPED)
    assert not (out / "fine/segmentation.json").exists()
    result = mpirun(words)
    assert result.returncode == 0, result.stderr
    assert "fine/volume: up to date" in result.stderr
    assert results(out) == results(electrode / "alone")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stop_of_one_rank_stops_all_in_good_order(electrode, program, rank):
    out = electrode / f"stopped{rank}"
    words = (3, program, "run", electrode / "study.yaml", "--output", out, "--threads", 1)
    process = start(words)
    log = out / "log.txt"
    until(lambda: log.exists() and "fine/segmentation: running" in log.read_text(), "segmentation")
    os.kill(rank_process(process, rank), signal.SIGTERM)
    result = ended(process, 60)
    assert result.returncode == STOPPED, result.stderr
    assert result.stderr.count("stopped by signal 15") == 1
    assert mpirun(words).returncode == 0
    assert results(out) == results(electrode / "alone")


def test_a_second_run_in_the_folder_is_refused_for_all_ranks(electrode, program):
    out = electrode / "locked"
    words = (2, program, "run", electrode / "study.yaml", "--output", out, "--threads", 1)
    first = start(words)
    until((out / "log.txt").exists, "the first run")
    second = mpirun(words)
    first.send_signal(signal.SIGINT)
    ended(first, 60)
    assert second.returncode == STOPPED and second.stderr.count("error: ") == 1, second.stderr


def test_ranks_that_disagree_are_refused(study, program):
    other = study.folder / "other.yaml"
    other.write_text(study.config.read_text() + "seed: 8\n")
    result = mpirun((1, program, "run", study.config), (2, program, "run", other))
    assert result.returncode == CONFIG, result.stderr
    assert result.stderr.count("error: ") == 1
    assert "rank 1 on" in result.stderr and "seed: 8" in result.stderr
    assert not study.output.exists()


def test_what_one_rank_cannot_read_is_said_once(study, program):
    elsewhere = study.folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(study.config, elsewhere)
    result = mpirun((2, program, "run", study.config), (1, program, "run", elsewhere / study.config.name))
    assert result.returncode == NO_INPUT or result.returncode == CONFIG, result.stderr
    assert result.stderr.count("rank 2 on") == 1 and "elsewhere/grey.npy" in result.stderr


def test_an_error_of_rank_0_ends_all(study, program):
    study.volume.write_bytes(study.volume.read_bytes()[:500])
    result = mpirun((3, program, "run", study.config))
    assert result.returncode == DATA, result.stderr
    assert result.stderr.count("error: ") == 1
    result = mpirun((2, program, "run", study.config, "--bogus"))
    assert result.returncode == USAGE and result.stderr.count("--bogus") == 1, result.stderr


def test_a_program_without_mpi_says_so_unless_every_process_has_a_shard(study, program):
    result = mpirun((2, binary(), "run", study.config))
    assert result.returncode == USAGE, result.stderr
    assert result.stderr.count("built without MPI") == 1 and "--shard" in result.stderr
    assert not study.output.exists()
    grey, _ = make_inputs.balls(shape=(20, 22, 24), radius=5)
    make_inputs.write_npy(study.folder / "grey2.npy", grey.astype(np.uint8))
    study.write("  - name: e2\n    volume: {path: grey2.npy, voxel_size_um: 0.2}\n")
    result = mpirun((1, binary(), "run", study.config, "--shard", "1/2"), (1, binary(), "run", study.config, "--shard", "2/2"))
    assert result.returncode == 0, result.stderr
    assert (study.folder / "out.shard-1-of-2/e1/attributes.csv").exists()
    assert (study.folder / "out.shard-2-of-2/e2/attributes.csv").exists()


def test_other_commands_start_once(study, program):
    result = mpirun((2, program, "explore", study.config, "--study", "laws"))
    assert result.returncode == USAGE and "start one" in result.stderr
