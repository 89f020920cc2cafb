"""Runs the real program. $CATHOSCOPE_BINARY names another one than build/release/bin/cathoscope."""
import os
import pathlib
import shutil
import subprocess

import make_inputs
import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def binary():
    path = pathlib.Path(os.environ.get("CATHOSCOPE_BINARY", SOURCE / "build/release/bin/cathoscope"))
    assert path.is_file(), f"{path} does not exist: run scripts/build.sh, or set CATHOSCOPE_BINARY"
    return path


@pytest.fixture(scope="session")
def source():
    """The source tree."""
    return SOURCE


@pytest.fixture(scope="session")
def cathoscope():
    """cathoscope(*args, cwd, env, timeout) runs the program and returns the CompletedProcess, its output as text.

    `env` adds to the environment. There is no terminal and no stdin; a run beyond `timeout` seconds is an error.
    """
    program = binary()

    def run(*args, cwd=None, env=None, timeout=120):
        return subprocess.run([program, *map(str, args)], cwd=cwd, env={**os.environ, **(env or {})}, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def shared_data():
    """shared_data(name) is the path of a file of the real measurements; the test skips where it is absent."""
    folder = pathlib.Path(os.environ.get("CATHOSCOPE_TEST_DATA", SOURCE.parent / "shared/data"))

    def find(name):
        path = folder / name
        if not path.exists():
            pytest.skip(f"{path} is not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """A library to preload: it counts writes, ends the process at one of them, lets clocks jump (interruptions.c)."""
    library = tmp_path_factory.mktemp("shim") / "interruptions.so"
    compiler = shutil.which("cc") or shutil.which("clang-16")
    if compiler is None:
        pytest.skip("no C compiler for the library that counts writes")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE / "tests/cli/interruptions.c", "-ldl"],
                   check=True)
    return library


class Study:
    """A small study in a folder: a volume of balls, its configuration, and the program run on it."""

    def __init__(self, folder, run):
        self.folder = folder
        self.run_program = run
        self.program = binary()
        self.config = folder / "study.yaml"
        self.output = folder / "out"
        grey, self.labels = make_inputs.balls()
        self.volume = make_inputs.write_npy(folder / "grey.npy", grey.astype("uint8"))
        self.write()

    def write(self, electrode="", more="", stages="[volume, segmentation, attributes]"):
        self.config.write_text(
            "name: small\noutput: out\nelectrodes:\n  - name: e1\n    volume: {path: grey.npy, voxel_size_um: 0.2}\n"
            + electrode + "segmentation: {method: watershed, minimum_particle_um3: 0.1}\n"
            + f"stages: {stages}\n" + more)

    def write_text(self, text):
        self.config.write_text(text)

    def run(self, *args, **options):
        return self.run_program("run", self.config, *args, **options)

    def files(self, output=None):
        """Every result that must not depend on time, host or threads: name -> bytes."""
        output = output or self.output
        times = {"log.txt", "provenance.json", "ro-crate-metadata.json", "volume.json", "segmentation.json", "attributes.json",
                 "contributions.json", "statistics.json", "chemomechanics.json"}
        return {str(p.relative_to(output)): p.read_bytes() for p in sorted(output.rglob("*"))
                if p.is_file() and p.name not in times}


@pytest.fixture
def study(tmp_path, cathoscope):
    return Study(tmp_path, cathoscope)
