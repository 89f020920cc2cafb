"""The example workflow of docs/snakemake, run by Snakemake itself. Skipped where that is not installed."""
import os
import shutil
import subprocess

import make_inputs
import pytest

SNAKEMAKE = "/usr/bin/snakemake"  # Debian's, which belongs to Debian's Python


@pytest.fixture
def workflow(study, source):
    """A study of two electrodes, and snakemake(*args) run on it."""
    if not os.access(SNAKEMAKE, os.X_OK):
        pytest.skip("snakemake is not installed")
    grey, _ = make_inputs.balls(shape=(20, 22, 24), radius=5)
    make_inputs.write_npy(study.folder / "grey2.npy", grey.astype("uint8"))
    study.write("  - name: e2\n    volume: {path: grey2.npy, voxel_size_um: 0.3}\n")

    def snakemake(*args):
        words = [SNAKEMAKE, "--snakefile", source / "docs/snakemake/Snakefile", "--directory", study.folder, "--cores", "2",
                 "--nocolor", *args, "--config", f"study={study.config}", f"cathoscope={study.program}", "threads=1",
                 "memory=0.25"]
        return subprocess.run(list(map(str, words)), env={**os.environ, "HOME": str(study.folder)}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300, check=False)
    return snakemake


def test_the_workflow_gives_the_bytes_of_one_run_and_repeats_nothing(study, workflow):
    result = workflow()
    assert result.returncode == 0, result.stdout + result.stderr
    assert study.run("--output", study.folder / "whole").returncode == 0
    assert study.files() == study.files(study.folder / "whole")
    assert (study.folder / "out.shard-2-of-2/shard.json").exists()
    again = workflow()
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


def test_a_shard_that_fails_keeps_the_study_from_being_merged(study, workflow):
    grey = study.folder / "grey2.npy"
    shutil.copy(grey, study.folder / "sound.npy")
    grey.write_bytes(grey.read_bytes()[:300])
    result = workflow("--retries", "0")
    assert result.returncode != 0
    assert "grey2.npy" in result.stdout + result.stderr
    assert not study.output.exists() and not (study.folder / "out.merged").exists()
    shutil.copy(study.folder / "sound.npy", grey)
    result = workflow()
    assert result.returncode == 0, result.stdout + result.stderr
    assert (study.output / "e2/attributes.csv").exists()
