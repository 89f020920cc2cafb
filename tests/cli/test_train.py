"""train on the command line: discs that a user labelled, a stop, a second start, wrong settings."""
import h5py
import make_inputs
import numpy as np
import pytest

CONFIG = """training:
  profile: ci
  iterations: {iterations}
  batch: 2
  patch: 48
  checkpoint_every: 2
  validation_samples: 2
  phantoms: null
  images:
    - {{image: a.npy, labels: a_labels.npy, voxel_size_um: 0.2}}
    - {{image: b.npy, labels: b_labels.npy, voxel_size_um: 0.2}}
  output: {output}
"""


def discs(seed, edge=256, radius=24):
    """A plane of discs on a grid, grey values with noise, one label a disc."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:edge, :edge]
    labels = np.zeros((1, edge, edge), np.uint16)
    for k, (i, j) in enumerate(np.ndindex(edge // 64, edge // 64)):
        cy, cx = 64 * i + 32 + random.uniform(-6, 6), 64 * j + 32 + random.uniform(-6, 6)
        labels[0][np.hypot(y - cy, x - cx) < radius * random.uniform(0.9, 1.1)] = k + 1
    grey = np.where(labels > 0, 180, 90) + random.normal(0, 8, labels.shape)
    return grey.clip(0, 255).astype(np.uint8), labels


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate("ab"):
        grey, labels = discs(seed)
        make_inputs.write_npy(tmp_path / f"{name}.npy", grey)
        make_inputs.write_npy(tmp_path / f"{name}_labels.npy", labels)
    return tmp_path


def write_config(folder, iterations=4, output="model.h5"):
    path = folder / "train.yaml"
    path.write_text(CONFIG.format(iterations=iterations, output=output))
    return path


def test_train_writes_weights_and_curves_and_is_done_the_second_time(cathoscope, folder):
    config = write_config(folder)
    first = cathoscope("train", config, "--threads", 2, "--device", "cpu", cwd=folder)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    with h5py.File(folder / "model.h5") as f:
        assert f.attrs["profile"] in ("ci", b"ci")
        assert f["values"].shape == (90242,)
        assert "iterations: 4" in np.asarray(f.attrs["training"]).item().decode()
    curve = (folder / "model.curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve] == ["iteration", "2", "4"]
    assert (folder / "model.curve.svg").read_text().startswith("<svg")
    assert not (folder / "model.checkpoint.h5").exists()
    before = (folder / "model.h5").stat().st_mtime_ns
    assert cathoscope("train", config, "--device", "cpu").returncode == 0
    assert (folder / "model.h5").stat().st_mtime_ns == before


def test_a_stopped_training_goes_on_to_the_same_weights(cathoscope, folder):
    whole = write_config(folder, iterations=6, output="whole.h5")
    assert cathoscope("train", whole, "--device", "cpu").returncode == 0
    parts = write_config(folder, iterations=6, output="parts.h5")
    stop = folder / "stop"
    stop.touch()
    stopped = cathoscope("train", parts, "--device", "cpu", "--stop-file", stop)
    assert stopped.returncode in (0, 75), stopped.stderr  # a quick machine may be done before the file is seen
    stop.unlink()
    resumed = cathoscope("train", parts, "--device", "cpu", "--threads", 1)
    assert resumed.returncode == 0, resumed.stderr
    with h5py.File(folder / "whole.h5") as a, h5py.File(folder / "parts.h5") as b:
        assert np.array_equal(a["values"], b["values"])


def test_wrong_settings_are_all_reported(cathoscope, folder):
    config = write_config(folder)
    result = cathoscope("train", config, "--set", "training.patch=50", "--set", "training.profile=huge")
    assert result.returncode == 78
    assert "patch" in result.stderr and "profile" in result.stderr
    assert not (folder / "model.h5").exists()


def test_another_training_does_not_replace_a_result(cathoscope, folder):
    config = write_config(folder)
    assert cathoscope("train", config, "--device", "cpu").returncode == 0
    again = cathoscope("train", config, "--device", "cpu", "--set", "training.iterations=5")
    assert again.returncode == 73
    assert "model.h5" in again.stderr


def test_a_device_that_is_not_there(cathoscope, folder):
    result = cathoscope("train", write_config(folder), "--device", "cuda:77")
    assert result.returncode == 69


def test_cut_offs_of_finished_weights_are_chosen_anew(cathoscope, folder):
    config = write_config(folder, iterations=30)
    assert cathoscope("train", config, "--device", "cpu").returncode == 0
    weights = folder / "model.h5"
    with h5py.File(weights, "r+") as f:
        values, scores = f["values"][:], dict(zip(f["score_names"].asstr()[:], f["scores"][:]))
        chosen = f.attrs["thresholds"][:]
        f.attrs["thresholds"] = np.array([0.123, 0.456, 0.789])
    assert {"calibration_watershed_pq", "calibration_area_bias", "calibration_polygon_pq"} < set(scores)
    again = cathoscope("train", config, "--calibrate", weights, "--device", "cpu", "--threads", 1)
    assert again.returncode == 0, again.stderr
    with h5py.File(weights) as f:
        assert np.array_equal(f.attrs["thresholds"][:], chosen)
        assert np.array_equal(f["values"][:], values)
        assert dict(zip(f["score_names"].asstr()[:], f["scores"][:])) == scores
    absent = cathoscope("train", config, "--calibrate", folder / "other.h5")
    assert absent.returncode == 66
    assert not (folder / "other.h5").exists()
