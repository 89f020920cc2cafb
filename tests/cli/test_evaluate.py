"""The evaluate command against scores computed anew with NumPy, and its answers to bad input."""
import json
import math

import h5py
import numpy as np
import pytest

TAUS = [f"{0.5 + 0.05 * k:.2f}" for k in range(10)]
KEYS = {"n_truth", "n_prediction", "strict", "lenient", "map", "vi_split", "vi_merge", "arand", "split_rate", "merge_rate",
        "volume_bias"}
MATCH_KEYS = {"tp", "fp", "fn", "precision", "recall", "f1", "ap", "mean_matched_iou", "pq"}


def score(cathoscope, *args):
    result = cathoscope("evaluate", *args)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def noisy_pair(seed=1, shape=(12, 40, 50), n=30):
    """Cells about random points, and those about the same points moved, some left out."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, shape, (n, 3))
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)

    def cells(p, reach):
        d = np.linalg.norm(grid[..., None, :] - p, axis=-1)
        return np.where(d.min(-1) < reach, d.argmin(-1) + 1, 0)

    return cells(points, 7), cells(points[:-4] + rng.normal(0, 1.2, (n - 4, 3)), 6.5)


def reference(truth, prediction):
    """Scores by their definitions, dense."""
    linear_sum_assignment = pytest.importorskip("scipy.optimize").linear_sum_assignment
    g_ids, g = np.unique(truth, return_inverse=True)
    p_ids, p = np.unique(prediction, return_inverse=True)
    assert g_ids[0] == 0 and p_ids[0] == 0
    table = np.zeros((len(g_ids), len(p_ids)))
    np.add.at(table, (g.ravel(), p.ravel()), 1)
    iou = table / (table.sum(1, keepdims=True) + table.sum(0, keepdims=True) - table)
    iou = iou[1:, 1:]
    n_g, n_p = iou.shape
    out = {"n_truth": n_g, "n_prediction": n_p, "strict": {}}
    for tau in TAUS:
        hit = iou >= float(tau)
        rows, columns = linear_sum_assignment(-hit.astype(float) - iou / (2 * min(n_g, n_p)))
        ok = hit[rows, columns]
        tp = int(ok.sum())
        fp, fn = n_p - tp, n_g - tp
        total = iou[rows, columns][ok].sum()
        out["strict"][tau] = {"tp": tp, "fp": fp, "fn": fn, "ap": tp / (tp + fp + fn), "pq": total / (tp + fp / 2 + fn / 2),
                              "mean_matched_iou": total / tp if tp else 0, "f1": 2 * tp / (2 * tp + fp + fn)}
    cells = table[1:] / table[1:].sum()
    row, column = cells.sum(1), cells.sum(0)

    def entropy(x):
        x = x[x > 0]
        return -(x * np.log2(x)).sum()

    out["vi_split"], out["vi_merge"] = entropy(cells) - entropy(row), entropy(cells) - entropy(column)
    precision, recall = (cells**2).sum() / (column**2).sum(), (cells**2).sum() / (row**2).sum()
    out["arand"] = 1 - 2 * precision * recall / (precision + recall)
    return out


def test_all_numbers_against_numpy(cathoscope, tmp_path):
    truth, prediction = noisy_pair()
    np.save(tmp_path / "truth.npy", truth.astype(np.int32))
    with h5py.File(tmp_path / "p.h5", "w") as f:
        f["a/labels"] = prediction.astype(np.uint16)
    found = score(cathoscope, "--prediction", f"{tmp_path}/p.h5:/a/labels", "--truth", tmp_path / "truth.npy")
    assert KEYS <= set(found) and set(found["strict"]) == set(found["lenient"]) == set(TAUS)
    assert MATCH_KEYS <= set(found["strict"]["0.50"])
    assert KEYS <= set(found["interior"])
    wanted = reference(truth, prediction)
    for key in ["n_truth", "n_prediction"]:
        assert found[key] == wanted[key]
    for tau in TAUS:
        for key, value in wanted["strict"][tau].items():
            assert found["strict"][tau][key] == pytest.approx(value, rel=1e-12), (tau, key)
    for key in ["vi_split", "vi_merge", "arand"]:
        assert found[key] == pytest.approx(wanted[key], rel=1e-9), key  # sums of logarithms in another order
    assert found["map"] == pytest.approx(np.mean([wanted["strict"][t]["ap"] for t in TAUS]))


def test_surface_distances_against_scipy(cathoscope, tmp_path):
    ndimage = pytest.importorskip("scipy.ndimage")
    truth, prediction = np.zeros((20, 24, 28), np.uint8), np.zeros((20, 24, 28), np.uint8)
    z, y, x = np.mgrid[:20, :24, :28]
    truth[(z - 9) ** 2 + (y - 11) ** 2 + (x - 12) ** 2 < 50] = 4
    prediction[(z - 9) ** 2 + (y - 12) ** 2 + 1.3 * (x - 13) ** 2 < 47] = 9
    np.save(tmp_path / "t.npy", truth)
    np.save(tmp_path / "p.npy", prediction)
    found = score(cathoscope, "--prediction", tmp_path / "p.npy", "--truth", tmp_path / "t.npy", "--voxel-size-um", "0.2")

    def surface(mask):
        return mask & ~ndimage.binary_erosion(mask)

    a, b = surface(truth > 0), surface(prediction > 0)
    d = 0.2 * np.concatenate([ndimage.distance_transform_edt(~a)[b], ndimage.distance_transform_edt(~b)[a]])
    assert found["assd_um"] == pytest.approx(d.mean(), rel=1e-9)
    assert found["hausdorff95_um"] == pytest.approx(np.percentile(d, 95), rel=1e-9)


def test_worked_example_of_the_documentation(cathoscope, tmp_path):
    truth = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2, 0, 3, 3, 0, 0]], np.uint8)
    prediction = np.array([[7, 7, 7, 7, 7, 8, 8, 0, 0, 0, 0, 0, 9, 9]], np.uint8)
    np.save(tmp_path / "t.npy", truth)
    np.save(tmp_path / "p.npy", prediction)
    files = ["--prediction", tmp_path / "p.npy", "--truth", tmp_path / "t.npy"]
    found = score(cathoscope, *files)
    strict, lenient = found["strict"]["0.50"], found["lenient"]["0.50"]
    assert (strict["tp"], strict["fp"], strict["fn"]) == (2, 1, 1)
    assert (lenient["tp"], lenient["fp"], lenient["fn"]) == (2, 0, 1)
    assert strict["mean_matched_iou"] == pytest.approx(0.65)
    assert found["assd_um"] is None  # nobody knows the voxel size
    table = cathoscope("evaluate", *files, "--table")
    assert table.returncode == 0 and "0.50 strict" in table.stdout and "{" not in table.stdout


def test_several_images_are_summed(cathoscope, tmp_path):
    args = []
    for seed in (1, 2):
        truth, prediction = noisy_pair(seed)
        np.save(tmp_path / f"t{seed}.npy", truth.astype(np.uint32))
        np.save(tmp_path / f"p{seed}.npy", prediction.astype(np.uint32))
        args += ["--prediction", tmp_path / f"p{seed}.npy", "--truth", tmp_path / f"t{seed}.npy"]
    both, one, two = score(cathoscope, *args), score(cathoscope, *args[:4]), score(cathoscope, *args[4:])
    for key in ["tp", "fp", "fn"]:
        assert both["strict"]["0.75"][key] == one["strict"]["0.75"][key] + two["strict"]["0.75"][key]
    assert both["by_image"] is False and both["images"] == 2


def test_damage_tables(cathoscope, tmp_path):
    labels = np.zeros((1, 30), np.uint8)
    labels[0, :9], labels[0, 10:19], labels[0, 20:29] = 1, 2, 3
    np.save(tmp_path / "t.npy", labels)
    np.save(tmp_path / "p.npy", labels * 10)
    (tmp_path / "t.csv").write_text("label,Damage\n1,0.1\n2,0.2\n3,0.3\n")
    (tmp_path / "p.csv").write_text("label,Damage\n10,0.2\n20,0.2\n30,\n")
    found = score(cathoscope, "--prediction", tmp_path / "p.npy", "--truth", tmp_path / "t.npy", "--damage-prediction",
                  tmp_path / "p.csv", "--damage-truth", tmp_path / "t.csv")["damage"]
    assert found["particles"] == 2
    assert found["mae"] == pytest.approx(0.05) and found["bias"] == pytest.approx(0.05)
    assert found["r"] is None and found["slope"] == pytest.approx(0)


def test_huge_ids_and_empty_images(cathoscope, tmp_path):
    labels = np.zeros((4, 6), np.uint64)
    labels[1:3, 1:4] = 2**64 - 1
    np.save(tmp_path / "t.npy", labels)
    np.save(tmp_path / "none.npy", np.zeros((4, 6), np.uint8))
    same = score(cathoscope, "--prediction", tmp_path / "t.npy", "--truth", tmp_path / "t.npy")
    assert same["map"] == 1 and same["volume_bias"] == 0
    empty = score(cathoscope, "--prediction", tmp_path / "none.npy", "--truth", tmp_path / "none.npy")
    assert empty["both_empty"] and empty["strict"]["0.50"]["ap"] == 1 and empty["volume_bias"] is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in empty.values())


@pytest.mark.parametrize("prediction, message", [
    (np.zeros((4, 7), np.uint8), "must agree"),
    (np.full((4, 6), -1, np.int16), "no particle id"),
    (np.full((4, 6), 0.5, np.float32), "whole numbers"),
])
def test_unusable_labels(cathoscope, tmp_path, prediction, message):
    np.save(tmp_path / "t.npy", np.ones((4, 6), np.uint8))
    np.save(tmp_path / "p.npy", prediction)
    result = cathoscope("evaluate", "--prediction", tmp_path / "p.npy", "--truth", tmp_path / "t.npy")
    assert result.returncode == 65 and message in result.stderr and result.stdout == ""


def test_unusable_command_lines(cathoscope, tmp_path):
    np.save(tmp_path / "t.npy", np.ones((4, 6), np.uint8))
    t = tmp_path / "t.npy"
    assert cathoscope("evaluate", "--prediction", t).returncode == 64
    assert cathoscope("evaluate", "--prediction", t, "--truth", t, "--truth", t).returncode == 64
    assert cathoscope("evaluate", "--prediction", t, "--truth", t, "--damage-truth", t).returncode == 64
    assert cathoscope("evaluate", "--prediction", t, "--truth", tmp_path / "absent.npy").returncode == 66


def test_prediction_and_truth_may_be_one_file(cathoscope, tmp_path):
    """One HDF5 file, opened twice, whose only dataset is found by itself."""
    _, labels = noisy_pair()
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["data"] = labels.astype(np.uint16)
    scores = score(cathoscope, "--prediction", tmp_path / "one.h5", "--truth", tmp_path / "one.h5")
    assert scores["strict"]["0.95"]["ap"] == 1
