"""What is installed or packaged runs from any folder and finds its weights beside itself."""
import os
import pathlib
import shutil
import subprocess

import conftest
import make_inputs
import pytest


@pytest.fixture(scope="module")
def build():
    folder = conftest.binary().resolve().parents[1]
    if not (folder / "CMakeCache.txt").exists():
        pytest.skip("the program under test is in no build folder")
    return folder


def installed_files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


TORCH_PART = "lib/cathoscope/libcathoscope_torch.so"
EXPECTED = {"bin/cathoscope", TORCH_PART, "share/cathoscope/models/default.h5", "share/cathoscope/models/ci.h5",
            "share/cathoscope/configs/demo.yaml", "share/doc/cathoscope/LICENSE", "share/doc/cathoscope/CITATION.cff",
            "share/bash-completion/completions/cathoscope"}


def study_in(folder, stages):
    """A study of a few balls for the network, in a folder of its own."""
    folder.mkdir()
    grey, _ = make_inputs.balls(shape=(30, 44, 48), radius=6)
    make_inputs.write_npy(folder / "v.npy", grey.astype("uint8"))
    (folder / "s.yaml").write_text("name: s\noutput: out\nelectrodes: [{name: e, volume: {path: v.npy, voxel_size_um: 0.5}}]\n"
                                   f"segmentation: {{method: network, model: builtin-ci}}\nstages: {stages}\n")
    return folder


def check_run(root, folder):
    """A whole small study with the program of `root`: its network, the figures (gnuplot), the page."""
    study = study_in(folder, "[volume, segmentation, attributes, figures]")
    env = {k: v for k, v in os.environ.items() if k != "CATHOSCOPE_DATA"}
    result = subprocess.run([root / "bin/cathoscope", "run", study / "s.yaml"], capture_output=True, text=True, check=False,
                            env=env, timeout=120)
    assert result.returncode == 0, result.stderr
    out = study / "out"
    assert (out / "e/attributes.csv").read_text().count("\n") > 1
    assert "</html>" in (out / "report.html").read_text()
    if shutil.which("gnuplot"):
        assert list((out / "figures").glob("*.svg")), result.stderr


def check_tree(root, folder):
    """`root` is a prefix that was put or moved to this place. Its own weights are the ones that are looked at."""
    assert EXPECTED <= installed_files(root)
    program = root / "bin/cathoscope"
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.startswith("cathoscope")
    study = study_in(folder / "damaged", "[volume, segmentation]")
    weights = root / "share/cathoscope/models/ci.h5"
    weights.write_text("nothing")
    env = {k: v for k, v in os.environ.items() if k != "CATHOSCOPE_DATA"}
    result = subprocess.run([program, "run", study / "s.yaml"], capture_output=True, text=True, check=False, env=env)
    assert result.returncode == 65 and str(weights) in result.stderr, result.stderr


def test_an_installed_tree_may_be_moved(build, tmp_path):
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path / "first"], check=True, stdout=subprocess.DEVNULL)
    (tmp_path / "first").rename(tmp_path / "second")
    check_tree(tmp_path / "second", tmp_path)


def test_only_networks_and_latents_load_libtorch(build, tmp_path):
    """Without its part that links libtorch, or with one of another version, the program does the rest and says what is wrong."""
    needed = subprocess.run(["readelf", "-d", build / "bin/cathoscope"], capture_output=True, text=True, check=True).stdout
    assert "libhdf5" in needed and "torch" not in needed and "libdnnl" not in needed
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path / "tree"], check=True, stdout=subprocess.DEVNULL)
    program, part = tmp_path / "tree/bin/cathoscope", tmp_path / "tree" / TORCH_PART
    study = study_in(tmp_path / "study", "[volume, segmentation]")

    def run(*more):
        return subprocess.run([program, "run", study / "s.yaml", *more], capture_output=True, text=True, check=False)

    part.unlink()
    latents = study_in(tmp_path / "latents", "[latent]") / "s.yaml"
    for command in ["run", "check"]:  # before any work
        refused = subprocess.run([program, command, latents], capture_output=True, text=True, check=False)
        assert refused.returncode == 69 and TORCH_PART in refused.stderr, refused.stderr
    known = subprocess.run([program, "info"], capture_output=True, text=True, check=False)
    assert known.returncode == 0 and "network: not available" in known.stdout
    lost = run()
    assert lost.returncode == 69 and TORCH_PART in lost.stderr and "watershed" in lost.stderr, lost.stderr
    assert not (study / "out").exists() or not list((study / "out").rglob("*.h5"))
    part.write_text("torn")
    assert run().returncode == 69
    source = tmp_path / "part.c"
    for text, message in [("int other;", "cathoscope_torch_part"),
                          ('const char* cathoscope_torch_part[] = {"0.0.9"};', "is of version 0.0.9")]:
        source.write_text(text)
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", part], check=True)
        refused = run()
        assert refused.returncode == 69 and message in refused.stderr, refused.stderr
    assert run("--set", "segmentation.method=watershed").returncode == 0


def test_a_debian_package_unpacks_into_a_folder_and_runs(build, tmp_path):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("dpkg-dev is not installed")
    result = subprocess.run(["cpack", "--config", build / "CPackConfig.cmake", "-B", tmp_path / "package"], cwd=tmp_path,
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    package = next((tmp_path / "package").glob("cathoscope_*.deb"))
    facts = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    depends = next(line for line in facts.splitlines() if line.startswith("Depends:"))
    for library in ("libtorch", "libhdf5", "libtiff", "libyaml-cpp", "libblosc", "libzstd", "liblz4"):
        assert library in depends
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "unpacked"], check=True)
    check_run(tmp_path / "unpacked/usr", tmp_path / "study")
    check_tree(tmp_path / "unpacked/usr", tmp_path)
