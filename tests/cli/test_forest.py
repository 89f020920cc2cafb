"""fit and explain on the command line, against the reference of scikit-learn and shap where it is there."""
import csv
import json

import numpy as np
import pytest


def table(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], np.array(rows[1:], float)


def test_explain_reproduces_the_reference(cathoscope, shared_data, tmp_path):
    data = shared_data("forest_reference")
    result = cathoscope("explain", "--forest", data / "particles10_mse_forest.json", "--table",
                        data / "particles10_Xy.csv", "--output", tmp_path / "shap.csv")
    assert result.returncode == 0, result.stderr
    names, values = table(tmp_path / "shap.csv")
    assert names[0] == "row" and names[-2:] == ["expected_value", "prediction"]
    prediction, expected = values[:, -1], values[:, -2]
    error = np.abs(expected + values[:, 1:-2].sum(axis=1) - prediction)
    assert np.all(error <= 1e-10 * np.maximum(1, np.abs(prediction)))
    reference = table(data / "particles10_mse_shap.csv")[1]
    rows = json.loads((data / "particles10_mse_forest.json").read_text())["train_index"]
    assert np.abs(values[rows, 1:-2] - reference).max() <= 1e-12


def test_fit_then_explain_free_columns(cathoscope, tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 4))
    y = 2 * x[:, 1] + 0.1 * rng.normal(size=300)
    with open(tmp_path / "t.csv", "w") as f:
        f.write("a,b,c,d,y\n")
        for row, value in zip(x, y):
            f.write(",".join(map(repr, map(float, [*row, value]))) + "\n")
    fit = cathoscope("fit", "--table", tmp_path / "t.csv", "--target", "y", "--set", "regression.trees=20", "--output",
                     tmp_path / "f.json")
    assert fit.returncode == 0, fit.stderr
    assert len(json.loads((tmp_path / "f.json").read_text())["trees"]) == 20
    assert cathoscope("explain", "--forest", tmp_path / "f.json", "--table", tmp_path / "t.csv", "--output",
                      tmp_path / "s.csv", "--interactions", tmp_path / "i.csv").returncode == 0
    names, values = table(tmp_path / "s.csv")
    mean = np.abs(values[:, 1:-2]).mean(axis=0)
    assert names[1:-2][int(mean.argmax())] == "b"
    assert table(tmp_path / "i.csv")[0][:3] == ["row", "a:a", "a:b"]


@pytest.mark.parametrize("args, code", [
    (["fit", "--table", "none.csv", "--output", "f.json"], 66),
    (["fit", "--table", "t.csv", "--output", "f.json"], 78),
    (["fit", "--table", "t.csv", "--target", "y", "--set", "regression.tres=3", "--output", "f.json"], 78),
    (["fit", "--table", "bad.csv", "--target", "y", "--output", "f.json"], 65),
    (["explain", "--forest", "bad.json", "--table", "t.csv", "--output", "s.csv"], 65),
    (["explain", "--forest", "none.json", "--table", "t.csv", "--output", "s.csv"], 66)])
def test_bad_input(cathoscope, tmp_path, args, code):
    (tmp_path / "t.csv").write_text("a,y\n1,2\n2,3\n4,5\n")
    (tmp_path / "bad.csv").write_text("a,y\n1,2\n2\n")
    (tmp_path / "bad.json").write_text('{"trees": [{')
    result = cathoscope(*args, cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert not (tmp_path / "f.json").exists() and not (tmp_path / "s.csv").exists()
