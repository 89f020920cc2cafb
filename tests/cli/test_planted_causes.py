"""Planted causes through voxels and through tables, in small; scripts/test-long.sh does the same at size."""
import csv
import json

import make_inputs
import numpy as np
import planted_causes
import pytest
import test_attributes
from test_regression_stage import column, tables, write_table  # noqa: F401 (a fixture)

FEW = "regression: {half_samples: 10, permutations: 0, seeds: 3, subsets: 0}\nstatistics: {permutations: 9, bootstraps: 0}\n"


@pytest.fixture
def program(cathoscope):
    def run(*args):
        result = cathoscope(*args, timeout=600)
        assert result.returncode == 0, result.stderr

    return run


def test_a_planted_neighbourhood_leads_through_true_voxels(program, tmp_path):
    """263 whole particles of 0.4 um voxels: the share of the neighbourhood is about 0.75, out-of-bag R2 about 0.6."""
    found = planted_causes.voxel_chain(program, tmp_path, ["paper50"], 0.4, [118, 230, 230], FEW)
    assert planted_causes.misses_of_voxels(found) == []
    assert found["paper50"]["rows"] > 200
    assert found["paper50"]["share"]["ci_low"] > 0.5
    assert found["paper50"]["oob_r2"] > 0.3


def test_nothing_is_found_where_nothing_was_planted(program, tmp_path):
    found = planted_causes.null_rates(program, tmp_path, tables=3, rows=300, permutations=399, trees=2)
    causes = planted_causes.causes_in(tmp_path / "made1/attributes.csv") - planted_causes.WITH_CRACKS
    assert len(causes) >= 19 and found["attributes"] == 3 * len(causes)
    assert max(found["oob_r2"]) <= 0.05
    # One table of three may have a rejection (14 % of trials); two at once come in 0.7 %.
    assert found["tables_with_rejection"] <= 1
    assert found["above_floor"] < 0.2  # 5 % of 57 expected; 12 or more come in one trial of 20,000


def test_the_committed_configuration_of_tables_runs(cathoscope, source, tmp_path):
    """configs/tables.yaml word for word, below a folder of its own: its paths are relative."""
    (tmp_path / "configs").mkdir()
    config = tmp_path / "configs/tables.yaml"
    config.write_text((source / "configs/tables.yaml").read_text())
    for preset, name in (("paper10", "table10"), ("paper50", "table50")):
        made = cathoscope("phantom", "--preset", preset, "--tables-only", "--rows", 60, "--output", tmp_path / "runs" / name)
        assert made.returncode == 0, made.stderr
    result = cathoscope("run", config, "--set", "regression.trees=2", "--set", "latent.permutations=20", "--set",
                        "latent.bootstraps=20", "--set", "latent.restarts=1", timeout=600)
    assert result.returncode == 0, result.stderr
    out = tmp_path / "runs/tables"
    with open(out / "contribution_differences.csv", newline="") as f:
        assert {(r["first"], r["second"]) for r in csv.DictReader(f)} == {("10-cycled", "50-cycled")}
    causes = planted_causes.causes_in(tmp_path / "runs/table10/attributes.csv") - planted_causes.WITH_CRACKS
    assert set(column(out / "10-cycled/contributions.csv", "attribute")) == causes


def test_measured_beans_as_documented(tables, shared_data):  # noqa: F811
    """The table entry of docs/regression.md, on every tenth row of the measured table."""
    lines = shared_data("particle_tables/Dry_Bean_Dataset.csv").read_text().splitlines()
    (tables.folder / "Dry_Bean_Dataset.csv").write_text("\n".join(lines[:1] + lines[1::10]) + "\n")
    result = tables.run([("beans", "{path: Dry_Bean_Dataset.csv, target: roundness, features: [], position: []}")],
                        "--set", "regression.criterion=squared_error", "--set", "regression.trees=40", "--set",
                        "regression.permutations=0")
    assert result.returncode == 0, result.stderr
    found = json.loads((tables.output / "beans/regression.json").read_text())
    assert found["rows_used"] + found["rows_without_target"] == len(lines[1::10])
    assert found["oob_r2"] > 0.8  # roundness follows from area and perimeter


def test_reliability_stands_beside_the_scores(tables):  # noqa: F811
    tables.phantom("paper10")
    write_table(tables.folder / "r.csv", {"attribute": ["Edensity", "Z"], "reliability": [0.25, 0.75]})
    more = ("regression: {trees: 4, seeds: 1, subsets: 0, half_samples: 0, permutations: 0, spatial_folds: 0, "
            "reliability: r.csv}\nstatistics: {permutations: 9, bootstraps: 0}\n")
    electrodes = [("e", "paper10/attributes.csv")]
    result = tables.run(electrodes, more=more)
    assert result.returncode == 0, result.stderr
    file = tables.output / "e/contributions.csv"
    given = {a: r for a, r in zip(column(file, "attribute"), column(file, "reliability")) if r}
    assert {a: float(r) for a, r in given.items()} == {"EDensity": 0.25, "Z": 0.75}  # the alias is read
    write_table(tables.folder / "r.csv", {"attribute": ["Z"], "reliability": [0.5]})
    changed = tables.run(electrodes, "--dry-run", more=more)
    assert "e/regression (contributions): would run" in changed.stderr
    write_table(tables.folder / "r.csv", {"name": ["Z"], "r2": [0.5]})
    refused = tables.run(electrodes, more=more)
    assert refused.returncode == 65 and "columns attribute and reliability" in refused.stderr


def test_contributions_are_those_of_the_matched_resolution(cathoscope, tmp_path):
    """Score over per_sd_damage is the deviation of Damage in the table that the forest saw."""
    text = "name: pair\noutput: out\nelectrodes:\n"
    for name, voxel in (("fine", 0.1), ("coarse", 0.15)):
        for kind, values in zip(("labels", "cracks", "grey"), test_attributes.spheres(voxel)):
            make_inputs.write_npy(tmp_path / f"{name}_{kind}.npy", values)
        text += (f"  - name: {name}\n    volume: {{path: {name}_grey.npy, voxel_size_um: {voxel}, mask: none}}\n"
                 f"    labels: {name}_labels.npy\n    cracks: {name}_cracks.npy\n")
    (tmp_path / "study.yaml").write_text(
        text + planted_causes.STAGES + "regression: {trees: 8, seeds: 1, subsets: 0, half_samples: 0, permutations: 0, "
        "spatial_folds: 0, min_impurity_decrease: 0}\nstatistics: {permutations: 9, bootstraps: 0}\n")
    result = cathoscope("run", tmp_path / "study.yaml")
    assert result.returncode == 0, result.stderr

    def deviation(electrode):
        scored = [(float(r["mean_abs_shap"]), float(r["per_sd_damage"]))
                  for r in planted_causes.rows_of(tmp_path / "out" / electrode / "contributions.csv")]
        return max(s / p for s, p in scored if p > 0)

    def measured(file):
        return np.std(test_attributes.table(tmp_path / "out" / file)["Damage"], ddof=1)

    assert deviation("fine") == pytest.approx(measured("fine/attributes_matched_leakfree.csv"), rel=1e-9)
    assert deviation("fine") != pytest.approx(measured("fine/attributes_leakfree.csv"), rel=1e-3)
    assert deviation("coarse") == pytest.approx(measured("coarse/attributes_leakfree.csv"), rel=1e-9)
