"""The configurations of the paper's study hold together: with their pairs in place, small ones, every check passes."""
import pathlib
import re
import shlex
import shutil

import pytest

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
SMALL = ["--set", "shape=[40, 72, 72]", "--set", "voxel_size_um=0.4"]
STUDIES = ["paper.yaml", "paper_swapped.yaml", "paper_null.yaml", "paper_small.yaml"]


def phantoms_of(text):
    """The commands of a configuration's head that make its pair, as (preset, folder)."""
    for line in re.findall(r"^#\s+(cathoscope phantom .*)$", text, re.MULTILINE):
        words = shlex.split(line)
        yield words[words.index("--preset") + 1], words[words.index("--output") + 1]


@pytest.fixture(scope="module")
def pair(tmp_path_factory, cathoscope):
    """One small electrode, which stands in for all: a check reads no voxel."""
    folder = tmp_path_factory.mktemp("phantom") / "p"
    done = cathoscope("phantom", "--preset", "paper10", "--seed", 1, *SMALL, "--output", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", STUDIES)
def test_the_studies_pass_their_check(cathoscope, pair, tmp_path, name):
    text = (CONFIGS / name).read_text()
    made = list(phantoms_of(text))
    assert len(made) == 2
    known = cathoscope("phantom", "--preset", "no-such", "--output", tmp_path / "x").stderr
    for preset, folder in made:
        assert preset in known, f"{preset} is no preset"
        shutil.copytree(pair, tmp_path / folder)
    (tmp_path / "configs").mkdir()
    shutil.copy(CONFIGS / name, tmp_path / "configs" / name)
    done = cathoscope("check", tmp_path / "configs" / name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", STUDIES)
def test_without_the_pair_the_check_says_what_is_missing(cathoscope, tmp_path, name):
    (tmp_path / "configs").mkdir()
    shutil.copy(CONFIGS / name, tmp_path / "configs" / name)
    done = cathoscope("check", tmp_path / "configs" / name)
    assert done.returncode == 78 and "electrodes[1].volume.path" in done.stderr
