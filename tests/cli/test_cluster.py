"""Shards and their merging, and the job scripts of `submit`; Slurm itself where it is installed."""
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time

import make_inputs
import pytest

USAGE, DATA, NO_INPUT, UNAVAILABLE, CONFIG = 64, 65, 66, 69, 78


@pytest.fixture
def three(study):
    """A study of three electrodes, the second at another voxel size, so that tables of matched resolution exist."""
    for i, grey in enumerate([(50, 180), (60, 170)], 2):
        values, _ = make_inputs.balls(shape=(30, 32, 34), radius=5, grey=grey)
        make_inputs.write_npy(study.folder / f"grey{i}.npy", values.astype("uint8"))
    study.write("  - name: e2\n    volume: {path: grey2.npy, voxel_size_um: 0.3}\n"
                "  - name: e3\n    volume: {path: grey3.npy, voxel_size_um: 0.2}\n")
    return study


def shard(study, i, n):
    return study.folder / f"out.shard-{i}-of-{n}"


def test_shards_merged_are_the_whole_run_byte_for_byte(three, cathoscope):
    assert three.run("--output", three.folder / "whole").returncode == 0
    for i in (1, 2):
        result = three.run("--shard", f"{i}/2")
        assert result.returncode == 0, result.stderr
    assert (shard(three, 1, 2) / "e1/attributes.csv").exists() and (shard(three, 1, 2) / "e3/attributes.csv").exists()
    assert not (shard(three, 1, 2) / "e2").exists() and (shard(three, 2, 2) / "e2/attributes.csv").exists()
    assert not three.output.exists()
    result = cathoscope("merge", shard(three, 2, 2), shard(three, 1, 2))
    assert result.returncode == 0, result.stderr
    assert "9 stages of 2 shards" in result.stderr
    whole, merged = three.files(three.folder / "whole"), three.files()
    assert whole.keys() - merged.keys() <= {"units.json", ".cathoscope-run", ".lock"}
    again = three.run()
    assert again.returncode == 0 and again.stderr.count("up to date") == 9 and "running" not in again.stderr
    assert three.files() == whole
    assert cathoscope("merge", shard(three, 1, 2), shard(three, 2, 2)).returncode == 0  # nothing left to do
    assert three.files() == whole


def test_status_of_a_shard_is_of_what_it_has_to_do(three, cathoscope):
    assert three.run("--shard", "1/2", "--until", "volume").returncode == 0
    whole = cathoscope("status", three.output)
    assert whole.returncode == NO_INPUT and f"cathoscope status {shard(three, 1, 2)}" in whole.stderr
    result = cathoscope("status", shard(three, 1, 2))
    assert result.returncode == 0, result.stderr
    lines = [line.split()[:3] for line in result.stdout.splitlines()[1:]]
    assert lines == [[e, stage, "finished" if stage == "volume" else "missing"]
                     for e in ("e1", "e3") for stage in ("volume", "segmentation", "attributes")]
    assert "at work here" not in result.stderr


def test_status_names_who_is_at_work(study, cathoscope):
    assert study.run("--until", "volume").returncode == 0
    with open(study.output / ".lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 12 on node3 since yesterday\n")
        lock.flush()
        result = cathoscope("status", study.output)
    assert result.returncode == 0 and "at work here: process 12 on node3 since yesterday" in result.stderr
    assert "at work here" not in cathoscope("status", study.output).stderr


def test_what_cannot_be_merged_is_named(three, cathoscope):
    assert three.run("--shard", "1/3", "--until", "volume").returncode == 0
    assert three.run("--shard", "3/3", "--until", "volume").returncode == 0
    result = cathoscope("merge", shard(three, 1, 3), shard(three, 3, 3))
    assert result.returncode == NO_INPUT and "shard 2 of 3 is missing" in result.stderr
    assert not three.output.exists()
    result = cathoscope("merge", *(shard(three, i, 3) for i in (1, 2, 3)))
    assert result.returncode == NO_INPUT and "out.shard-2-of-3" in result.stderr
    assert three.run("--shard", "2/3", "--until", "volume", "--set", "electrodes[1].volume.bin=2").returncode == 0
    result = cathoscope("merge", *(shard(three, i, 3) for i in (1, 2, 3)))
    assert result.returncode == DATA and "configuration" in result.stderr
    assert three.run("--shard", "2/3", "--until", "volume").returncode == 0
    (shard(three, 2, 3) / "shard.json").unlink()  # as a killed shard leaves its folder
    result = cathoscope("merge", *(shard(three, i, 3) for i in (1, 2, 3)))
    assert result.returncode == NO_INPUT and "not whole" in result.stderr
    assert three.run("--shard", "2/3", "--until", "volume").returncode == 0
    volume = shard(three, 2, 3) / "e2/volume.h5"
    damaged = bytearray(volume.read_bytes())
    damaged[-50] ^= 1
    volume.write_bytes(damaged)
    result = cathoscope("merge", *(shard(three, i, 3) for i in (1, 2, 3)))
    assert result.returncode == DATA and "volume.h5" in result.stderr
    result = cathoscope("merge", *(shard(three, i, 3) for i in (1, 1, 3)))
    assert result.returncode == DATA and "both shard 1 of 3" in result.stderr
    assert cathoscope("merge").returncode == USAGE


def test_merge_does_not_touch_a_folder_of_something_else(three, cathoscope):
    assert three.run("--shard", "1/1", "--until", "volume").returncode == 0
    three.output.mkdir()
    (three.output / "thesis.tex").write_text("years of work")
    result = cathoscope("merge", shard(three, 1, 1))
    assert result.returncode == 73
    assert [p.name for p in three.output.iterdir()] == ["thesis.tex"]
    assert cathoscope("merge", shard(three, 1, 1), "--output", three.folder / "here").returncode == 0
    assert (three.folder / "here/e3/volume.h5").exists()


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1.5/2"])
def test_shards_that_make_no_sense(study, text):
    result = study.run("--shard", text)
    assert result.returncode == USAGE, result.stderr
    assert text in result.stderr


def test_a_shard_has_no_other_stage(study):
    assert study.run("--shard", "1/2", "--set", "stages=[latent]").returncode == USAGE


# --- submit ---------------------------------------------------------------------------------------------------------

def printed(study, cathoscope, *args):
    result = cathoscope("submit", study.config, "--slurm", "--print", *args)
    assert result.returncode == 0, result.stderr
    assert not study.output.exists() and not (study.folder / "out.slurm").exists()
    return result.stdout


def test_one_electrode_is_one_job(study, cathoscope):
    script = printed(study, cathoscope, "--threads", "3", "--memory", "7", "--time-limit", "1h30m",
                     "--sbatch=--partition=long")
    assert "--array" not in script and "merge" not in script
    for line in ["--cpus-per-task=3", f"--mem={int(1024 * (1.25 * 7 + 1))}M", "--time=90", "--requeue", "--open-mode=append",
                 "--partition=long", "--signal=USR1@120"]:
        assert f"#SBATCH {line}\n" in script, line
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


@pytest.mark.parametrize("limit, minutes", [("23:30:00", 1410), ("1-12:00:00", 2160), ("2d", 2880), ("1h30m", 90),
                                             ("0:00:30", 1)])
def test_time_limits_as_slurm_writes_them_and_as_run_does(study, cathoscope, limit, minutes):
    assert f"#SBATCH --time={minutes}\n" in printed(study, cathoscope, "--time-limit", limit)


def test_help_names_what_a_job_gets_without_being_told(cathoscope):
    text = cathoscope("submit", "--help").stdout
    for default in ("=8", "=16", "=24h"):
        assert default in text, text


def test_the_script_of_a_job_says_what_run_would_do(study, cathoscope):
    odd = study.folder / "it's $HOME `x` 100%"
    script = printed(study, cathoscope, "--output", odd, "--set", "seed=3")
    assert f'#SBATCH --output="{str(odd).replace("%", "%%")}.slurm/study.log"\n' in script
    step = [line for line in script.splitlines() if line.startswith("step ")]
    assert len(step) == 1
    words = shlex.split(step[0])
    assert words[1:4] == [str(study.program), "run", str(study.config)]
    assert words[words.index("--output") + 1] == str(odd)
    assert words[words.index("--set") + 1] == "seed=3"


def test_several_electrodes_are_an_array_and_a_job_after_it(three, cathoscope):
    script = printed(three, cathoscope)
    assert script.count("#SBATCH --array=1-3\n") == 1
    assert '--shard "$SLURM_ARRAY_TASK_ID/3"' in script
    assert all(f"out.shard-{i}-of-3'" in script for i in (1, 2, 3))
    array, study_script = re.split(r"^# ---- .*after it.*$", script, flags=re.MULTILINE)
    assert "merge" not in array and study_script.index(" merge ") < study_script.index(" run ")


def fake_slurm(folder, status):
    """sbatch, srun and scontrol that note what they were asked; srun runs the program's replacement."""
    folder.mkdir()
    tools = {"sbatch": 'echo "$@" >> sbatch.log; n=$(wc -l < sbatch.log); echo "$((100 + n));cluster"',
             "srun": f'echo "$@" >> srun.log; exit {status}', "scontrol": 'echo "$@" >> scontrol.log'}
    for name, text in tools.items():
        tool = folder / name
        tool.write_text(f"#!/bin/bash\ncd {shlex.quote(str(folder))}\n{text}\n")
        tool.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_submission_hands_the_scripts_over_in_order(three, cathoscope):
    env = fake_slurm(three.folder / "bin", 0)
    result = cathoscope("submit", three.config, "--slurm", env=env)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "101\n102\n"
    assert "job 101: electrodes, an array" in result.stderr and "job 102: study, after job 101" in result.stderr
    jobs = (three.folder / "bin/sbatch.log").read_text().splitlines()
    assert jobs == [f"--parsable {three.folder}/out.slurm/electrodes.sh",
                    f"--parsable --dependency=afterok:101 {three.folder}/out.slurm/study.sh"]


@pytest.mark.parametrize("status, restarts, asked, code", [(0, 0, False, 0), (75, 0, True, 0), (75, 3, True, 0),
                                                            (75, 100, False, 75), (65, 0, False, 65)])
def test_only_a_stopped_job_goes_back_to_the_queue(study, cathoscope, status, restarts, asked, code):
    script = printed(study, cathoscope)
    env = {**os.environ, **fake_slurm(study.folder / "bin", status), "SLURM_CPUS_PER_TASK": "2", "SLURM_JOB_ID": "7",
           "SLURM_RESTART_COUNT": str(restarts)}
    result = subprocess.run(["bash"], input=script, text=True, env=env, capture_output=True, check=False)
    assert result.returncode == code, result.stderr
    log = study.folder / "bin/scontrol.log"
    assert f"start {restarts + 1}" in result.stdout and "== job 7, 20" in result.stdout
    assert ("goes back into the queue" in result.stdout) == asked
    assert (f"ends with exit code {code}" in result.stdout) == (code != 0)
    assert log.exists() == asked
    if asked:
        assert log.read_text() == "requeue 7\n"


def test_submit_needs_a_sound_study_and_slurm(study, cathoscope):
    assert cathoscope("submit", study.config).returncode == USAGE
    result = cathoscope("submit", study.config, "--slurm", env={"PATH": "/nowhere"})
    assert result.returncode == UNAVAILABLE and "sbatch" in result.stderr
    for limit in ["soon", "10:00", "1:60:00", "1-2", "90", "0:00:00", "3h5", "-1:00:00"]:
        result = cathoscope("submit", study.config, "--slurm", "--print", f"--time-limit={limit}")
        assert result.returncode == USAGE and limit in result.stderr and "23:30:00" in result.stderr, limit
    assert cathoscope("submit", study.config, "--slurm", "--print", "--sbatch=a\nb").returncode == USAGE
    study.volume.unlink()
    assert cathoscope("submit", study.config, "--slurm", "--print").returncode == CONFIG


# --- shards of the regression: test_regression_stage.py; here of electrodes that were measured -----------------------

FORESTS = ("statistics: {permutations: 20, bootstraps: 20}\n"
           "regression: {trees: 3, seeds: 2, subsets: 1, half_samples: 4, permutations: 100}\n")


def measured_study(study):
    """A study of two electrodes up to its regression, on more particles than the smallest volume has."""
    grey, _ = make_inputs.balls(shape=(40, 90, 90), radius=5)
    for name in ("grey.npy", "grey2.npy"):
        make_inputs.write_npy(study.folder / name, grey.astype("uint8"))
    study.write("  - name: e2\n    volume: {path: grey2.npy, voxel_size_um: 0.2}\n", FORESTS,
                "[volume, segmentation, attributes, regression]")
    return study


def test_the_regression_of_measured_electrodes_is_shared_after_merging(study, cathoscope):
    study = measured_study(study)
    assert study.run("--output", study.folder / "whole").returncode == 0
    result = study.run("--only", "regression", "--shard", "1/2")
    assert result.returncode == CONFIG and "attributes of every electrode must be there" in result.stderr
    for i in (1, 2):
        assert study.run("--shard", f"{i}/2").returncode == 0
    assert cathoscope("merge", shard(study, 1, 2), shard(study, 2, 2)).returncode == 0
    for i in (1, 2):
        result = study.run("--only", "regression", "--shard", f"{i}/2")
        assert result.returncode == 0 and f"e2/regression: shard {i} of 2 has finished" in result.stderr, result.stderr
    assert len(list(study.output.glob("e?/.contributions.shard-?-of-2.journal"))) == 4
    result = study.run()
    assert result.returncode == 0 and result.stderr.count("finished before are used") == 2, result.stderr
    merged, whole = study.files(), study.files(study.folder / "whole")
    assert merged.pop("regression.json") and whole.pop("regression.json")  # a record, with times
    assert merged == whole


def test_submit_shares_the_regression_where_it_is_asked_to(three, cathoscope):
    scripts = re.split(r"^# ---- ", printed(three, cathoscope, "--shards", "6", "--set", "stages=all"), flags=re.MULTILINE)[1:]
    names = [pathlib.Path(s.split(",")[0].split("\n")[0]).name for s in scripts]
    assert names == ["electrodes.sh", "attributes.sh", "regression.sh", "study.sh"]
    assert "#SBATCH --array=1-6\n" in scripts[2]
    assert "--set 'stages=all' --only regression --shard \"$SLURM_ARRAY_TASK_ID/6\"\n" in scripts[2]
    assert " merge " in scripts[1] and " merge " not in scripts[3]
    for text in scripts:
        assert subprocess.run(["bash", "-n"], input="# " + text, text=True, check=False).returncode == 0
    result = cathoscope("submit", three.config, "--slurm", "--print", "--shards", "6")
    assert result.returncode == USAGE and "regression" in result.stderr
    env = fake_slurm(three.folder / "bin", 0)
    result = cathoscope("submit", three.config, "--slurm", "--shards", "6", "--set", "stages=all", env=env)
    assert result.stdout == "101\n102\n103\n104\n", result.stderr
    jobs = (three.folder / "bin/sbatch.log").read_text().splitlines()
    assert [j.split("/")[0] for j in jobs] == ["--parsable ", *(f"--parsable --dependency=afterok:{n} " for n in (101, 102, 103))]
