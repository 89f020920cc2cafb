"""Runs the real program. $CATHOSCOPE_BINARY names another one than build/release/bin/cathoscope."""
import os
import pathlib
import subprocess

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
