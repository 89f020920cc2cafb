"""The stage regression of a run: its files and columns, free tables, gaps, what runs again, what is refused."""
import csv
import fcntl
import json
import subprocess

import numpy as np
import pytest
from conftest import binary
from planted_causes import WITH_CRACKS, causes_in

QUICK = ("regression: {trees: 8, seeds: 2, subsets: 2, subset_size: 60, half_samples: 4, permutations: 3, spatial_folds: 3}\n"
         "statistics: {permutations: 19, bootstraps: 10}\n")
CONTRIBUTIONS = ("attribute,group,mean_abs_shap,sd_seeds,sd_subsets,ci_low,ci_high,null_floor,q,oob_mean_abs_shap,direction,"
                 "per_sd_damage,reliability").split(",")
PARTS = {"log.txt", "provenance.json", "ro-crate-metadata.json", "contributions.json", "statistics.json"}


def read(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


def column(path, name):
    header, rows = read(path)
    return [row[header.index(name)] for row in rows]


def write_table(path, columns):
    names = list(columns)
    with open(path, "w") as f:
        f.write(",".join(names) + "\n")
        for row in zip(*columns.values()):
            f.write(",".join("" if isinstance(v, float) and np.isnan(v) else str(v) for v in row) + "\n")
    return path


def free_columns(rows=120, seed=1):
    """A table without attributes: y follows a, not b."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, rows))
    return {"id": range(7, 7 + rows), "a": a, "b": b, "c": c, "px": rng.uniform(0, 50, rows), "py": rng.uniform(0, 50, rows),
            "pz": rng.uniform(0, 50, rows), "kind": ["x", "y"] * (rows // 2) + ["x"] * (rows % 2),
            "y": 2 * a + 0.1 * rng.normal(size=rows)}


class Tables:
    """Runs on tables in one folder."""

    def __init__(self, folder, run):
        self.folder = folder
        self.program = run
        self.output = folder / "out"

    def phantom(self, preset, rows=150):
        result = self.program("phantom", "--preset", preset, "--tables-only", "--rows", rows, "--output",
                              self.folder / preset)
        assert result.returncode == 0, result.stderr

    def run(self, electrodes, *args, more=QUICK, stages="regression"):
        lines = "".join(f"  - {{name: {name}, table: {table}}}\n" for name, table in electrodes)
        (self.folder / "t.yaml").write_text(f"name: t\noutput: out\nelectrodes:\n{lines}stages: {stages}\n{more}")
        return self.program("run", self.folder / "t.yaml", *args)

    def results(self, output=None):
        output = output or self.output
        return {str(p.relative_to(output)): p.read_bytes() for p in sorted(output.rglob("*"))
                if p.is_file() and p.name not in PARTS and p != output / "regression.json"}


@pytest.fixture
def tables(tmp_path, cathoscope):
    return Tables(tmp_path, cathoscope)


def test_two_electrodes_leave_every_file_with_its_columns(tables):
    tables.phantom("paper10")
    tables.phantom("paper50")
    result = tables.run([("own", "paper10/attributes.csv"), ("around", "paper50/attributes.csv")])
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    paper = causes_in(tables.folder / "paper10/attributes.csv")
    used = paper - WITH_CRACKS
    assert len(used) >= 19
    for electrode in ("own", "around"):
        folder = tables.output / electrode
        header, rows = read(folder / "contributions.csv")
        assert header == CONTRIBUTIONS
        assert {r[0] for r in rows} == used and len(rows) == len(used)
        header, rows = read(folder / "contributions_paper.csv")
        assert header == CONTRIBUTIONS and {r[0] for r in rows} == paper
        summary = json.loads((folder / "regression.json").read_text())
        assert {"oob_r2", "spatial_cv_r2", "spatial_cv_mae", "rows_used", "groups", "self", "neighbour",
                "share_neighbour", "sham"} <= set(summary)
        assert set(summary["groups"]) == {"position", "chemical", "structure", "neighbourhood"}
        assert summary["rows_used"] == 150 and summary["profile"] == "leak_free"
        header, rows = read(folder / "shap.csv")
        assert header[0] == "label" and header[-2:] == ["expected_value", "prediction"] and set(header[1:-2]) == used
        values = np.array(rows, float)
        error = np.abs(values[:, -2] + values[:, 1:-2].sum(axis=1) - values[:, -1])
        assert np.all(error <= 1e-10 * np.maximum(1, np.abs(values[:, -1])))
        forest = json.loads((folder / "forest.json").read_text())
        assert len(rows) == len(forest["train_index"]) == 142 and len(forest["gap_fill"]) == len(used)
    header, rows = read(tables.output / "contribution_runs.csv")
    assert header == ["electrode", "profile", "kind", "run", "attribute", "mean_abs_shap"]
    assert len(rows) == 2 * 4 * (len(used) + len(paper))
    header, rows = read(tables.output / "contribution_differences.csv")
    assert header == ["first", "second", "profile", "attribute", "mean", "sd", "ci_low", "ci_high", "q"]
    assert [r[:3] for r in rows] == [["own", "around", "leak_free"]] * len(used) + [["own", "around", "paper"]] * len(paper)
    names = {p.stem for p in (tables.output / "statistics").iterdir()}
    assert names == {"fig1b", "fig1b_summary", "fig2ab", "fig2c", "fig2c_summary", "figs7", "figs7_summary", "figs11",
                     "figs12"}
    assert len(read(tables.output / "statistics/figs11.csv")[1]) == 2 * (len(used) + 2 + len(paper) + 2)  # and X, Y


def test_the_difference_is_the_mean_of_the_paired_runs(tables):
    tables.phantom("paper10")
    tables.phantom("paper50")
    tables.run([("own", "paper10/attributes.csv"), ("around", "paper50/attributes.csv")])
    header, rows = read(tables.output / "contribution_runs.csv")
    scores = {e: [float(r[5]) for r in rows if r[0] == e and r[1] == "leak_free" and r[4] == "Contact"]
              for e in ("own", "around")}
    difference = np.array(scores["around"]) - np.array(scores["own"])
    found = next(r for r in read(tables.output / "contribution_differences.csv")[1] if r[2:4] == ["leak_free", "Contact"])
    assert float(found[4]) == pytest.approx(difference.mean(), rel=1e-12)
    assert float(found[5]) == pytest.approx(difference.std(ddof=1), rel=1e-12)
    mean = float(dict(zip(column(tables.output / "own/contributions.csv", "attribute"),
                          column(tables.output / "own/contributions.csv", "mean_abs_shap")))["Contact"])
    assert mean == pytest.approx(np.mean(scores["own"]), rel=1e-12)


def test_threads_and_resumption_do_not_change_a_byte(tables):
    tables.phantom("paper10")
    electrodes = [("e", "paper10/attributes.csv")]
    assert tables.run(electrodes, "--threads", 1).returncode == 0
    one = tables.results()
    assert tables.run(electrodes, "--threads", 2, "--output", tables.folder / "two").returncode == 0
    two = tables.results(tables.folder / "two")
    assert one == two
    again = tables.run(electrodes)
    assert again.stderr.count("up to date") == 3 and "running" not in again.stderr
    (tables.output / "statistics/figs12.csv").unlink()
    again = tables.run(electrodes)
    assert again.stderr.count("up to date") == 2 and "regression (statistics): running" in again.stderr
    assert tables.results() == one


def test_what_changes_decides_what_runs(tables):
    tables.phantom("paper10")
    electrodes = [("e", "paper10/attributes.csv")]
    tables.run(electrodes)
    severe = tables.run(electrodes, "--dry-run", "--set", "figures.severe_quantile=0.8")
    assert severe.stderr.count("up to date") == 2 and "regression (statistics): would run" in severe.stderr
    trees = tables.run(electrodes, "--dry-run", "--set", "regression.trees=9")
    assert "e/regression (contributions): would run" in trees.stderr
    status = tables.program("status", tables.output, "--why")
    assert status.returncode == 0 and sum(" finished " in line for line in status.stdout.splitlines()) == 3
    more = (tables.folder / "paper10/attributes.csv").read_text().splitlines()
    (tables.folder / "paper10/attributes.csv").write_text("\n".join(more[:-1]) + "\n")
    shorter = tables.run(electrodes, "--dry-run")
    assert shorter.stderr.count("would run") == 3


def test_one_electrode_has_no_differences_and_a_second_that_leaves_takes_them_along(tables):
    tables.phantom("paper10")
    own = ("own", "paper10/attributes.csv")
    tables.run([own, ("again", "paper10/attributes.csv")])
    assert (tables.output / "contribution_differences.csv").exists()
    result = tables.run([own])
    assert result.returncode == 0, result.stderr
    assert not (tables.output / "contribution_differences.csv").exists()
    assert set(column(tables.output / "contribution_runs.csv", "electrode")) == {"own"}


def test_three_electrodes_are_compared_with_the_first(tables):
    tables.phantom("paper10")
    electrodes = [(name, "paper10/attributes.csv") for name in ("a", "b", "c")]
    assert tables.run(electrodes).returncode == 0
    header, rows = read(tables.output / "contribution_differences.csv")
    assert {tuple(r[:2]) for r in rows} == {("a", "b"), ("a", "c")}
    summary = read(tables.output / "statistics/fig1b_summary.csv")[1]
    assert [float(r[6]) for r in summary if r[1] == "all"] == [0, 0, 0]  # one table three times: no distance


def test_a_free_table(tables):
    write_table(tables.folder / "free.csv", free_columns())
    result = tables.run([("e", "{path: free.csv, target: y, label: id, position: [px, py, pz]}")])
    assert result.returncode == 0, result.stderr
    names = column(tables.output / "e/contributions.csv", "attribute")
    assert names == ["a", "b", "c"]
    scores = [float(v) for v in column(tables.output / "e/contributions.csv", "mean_abs_shap")]
    assert scores[0] > 5 * max(scores[1:])
    assert not (tables.output / "e/contributions_paper.csv").exists()
    labels = [int(v) for v in column(tables.output / "e/shap.csv", "label")]
    assert set(labels) <= set(range(7, 127)) and len(set(labels)) == len(labels)
    assert len(read(tables.output / "statistics/figs12.csv")[1]) > 2
    chosen = tables.run([("e", "{path: free.csv, target: y, features: [b, c], position: []}")])
    assert chosen.returncode == 0, chosen.stderr
    assert column(tables.output / "e/contributions.csv", "attribute") == ["b", "c"]
    assert read(tables.output / "statistics/figs12.csv")[1] == []
    assert "no positions" in chosen.stderr
    assert column(tables.output / "e/shap.csv", "row")


def test_aliases_are_read(tables):
    tables.phantom("paper10")
    file = tables.folder / "paper10/attributes.csv"
    text = file.read_text().replace("EDensity", "Edensity", 1).replace("VolumeStd", "locVolume", 1)
    file.write_text(text)
    assert tables.run([("e", "paper10/attributes.csv")]).returncode == 0
    header, rows = read(tables.output / "e/contributions.csv")
    groups = {r[0]: r[1] for r in rows}
    assert groups["Edensity"] == "chemical" and groups["locVolume"] == "neighbourhood"


@pytest.mark.parametrize("entry, said", [
    ("{path: free.csv, target: speed}", "no column 'speed' to predict; its columns are: id, a, b, c"),
    ("{path: free.csv, target: kind}", "not numeric"),
    ("{path: free.csv, target: y, features: [a, d]}", "no column 'd'"),
    ("{path: free.csv, target: y, features: [kind]}", "not numeric"),
    ("{path: free.csv, target: y, label: a}", "cannot be the label"),
    ("{path: free.csv, target: y, position: [px, py, deep]}", "no column 'deep'"),
    ("{path: free.csv, target: y, position: [px]}", "two or three"),
    ("{path: absent.csv, target: y}", "absent.csv"),
])
def test_wrong_names_are_78_with_the_place(tables, entry, said):
    write_table(tables.folder / "free.csv", free_columns(20))
    result = tables.run([("e", entry)])
    assert result.returncode == 78
    assert said in result.stderr and "t.yaml:4:" in result.stderr
    assert not tables.output.exists()


def test_bad_tables_are_65(tables):
    (tables.folder / "ragged.csv").write_text("a,b,y\n1,2,3\n4,5\n")
    assert tables.run([("e", "{path: ragged.csv, target: y}")]).returncode == 65
    (tables.folder / "empty.csv").write_text("a,b,y\n")
    assert tables.run([("e", "{path: empty.csv, target: y}")]).returncode == 65


def test_flags_gaps_and_columns_full_of_gaps_are_counted(tables):
    c = free_columns(100)
    c["touches_border"] = [1] * 10 + [0] * 90
    c["a"] = np.where(np.arange(100) % 10 == 3, np.nan, c["a"])     # 9 of the 90 rows
    c["c"] = np.where(np.arange(100) % 3 == 0, np.nan, c["c"])      # 30 of them: left out
    c["y"] = np.where(np.arange(100) == 50, np.nan, c["y"])
    write_table(tables.folder / "gaps.csv", c)
    result = tables.run([("e", "{path: gaps.csv, target: y, label: id}")])
    assert result.returncode == 0, result.stderr
    summary = json.loads((tables.output / "e/regression.json").read_text())
    assert (summary["rows_used"], summary["rows_flagged"], summary["rows_without_target"]) == (89, 10, 1)
    assert summary["gaps_filled"] == {"a": 9} and list(summary["columns_left_out"]) == ["c"]
    assert "column 'c' left out" in result.stderr
    everything = tables.run([("e", "{path: gaps.csv, target: y, label: id}")], "--set", "statistics.exclude=[]")
    assert everything.returncode == 0, everything.stderr
    assert json.loads((tables.output / "e/regression.json").read_text())["rows_used"] == 99


def test_explain_fills_gaps_as_the_fit_did(tables, cathoscope):
    c = free_columns(100)
    table = write_table(tables.folder / "t.csv", {k: c[k] for k in "abcy"})
    forest = tables.folder / "f.json"
    assert cathoscope("fit", "--table", table, "--target", "y", "--output", forest).returncode == 0
    fill = json.loads(forest.read_text())["gap_fill"]
    assert fill == pytest.approx([float(np.median(c[k])) for k in "abc"], rel=1e-6)
    with_gap = dict(a=[0.5, 0.5], b=[float("nan"), fill[1]], c=[0.1, 0.1])
    write_table(tables.folder / "gap.csv", with_gap)
    shap = tables.folder / "shap.csv"
    result = cathoscope("explain", "--forest", forest, "--table", tables.folder / "gap.csv", "--output", shap)
    assert result.returncode == 0 and "1 rows had gaps" in result.stderr
    rows = read(shap)[1]
    assert rows[0][1:] == rows[1][1:]
    imported = json.loads(forest.read_text())
    del imported["gap_fill"]
    forest.write_text(json.dumps(imported))
    result = cathoscope("explain", "--forest", forest, "--table", tables.folder / "gap.csv", "--output", shap)
    assert result.returncode == 0 and "lack a value" in result.stderr
    assert read(shap)[1][0][1:] == [""] * 5


def test_constant_and_twin_columns(tables):
    c = free_columns(100)
    c["b"] = [3.0] * 100
    c["c"] = c["a"]
    write_table(tables.folder / "t.csv", c)
    result = tables.run([("e", "{path: t.csv, target: y, label: id, position: []}")])
    assert result.returncode == 0, result.stderr
    scores = dict(zip(column(tables.output / "e/contributions.csv", "attribute"),
                      map(float, column(tables.output / "e/contributions.csv", "mean_abs_shap"))))
    assert scores["b"] == 0 and scores["a"] > 0 and scores["c"] > 0


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 12])
def test_few_rows_give_numbers_or_gaps_and_no_crash(tables, rows):
    write_table(tables.folder / "few.csv", free_columns(rows))
    result = tables.run([("e", "{path: few.csv, target: y, label: id, position: [px, py, pz]}")])
    if rows < 3:  # a subset of 0.8 of them has no row to train on
        assert result.returncode == 65 and "row" in result.stderr
        assert not (tables.output / "e/contributions.csv").exists()
        return
    assert result.returncode == 0, result.stderr
    assert json.loads((tables.output / "e/regression.json").read_text())["subset_size"] == max(1, int(0.8 * rows))
    assert "instead of 60" in result.stderr


def test_a_constant_target_has_no_causes(tables):
    c = free_columns(60)
    c["y"] = [0.25] * 60
    write_table(tables.folder / "t.csv", c)
    result = tables.run([("e", "{path: t.csv, target: y, label: id, position: [px, py, pz]}")])
    assert result.returncode == 0, result.stderr
    assert {float(v) for v in column(tables.output / "e/contributions.csv", "mean_abs_shap")} == {0}


def test_a_table_beside_a_volume_is_refused(study):
    study.write(electrode="    table: grey.csv\n")
    (study.folder / "grey.csv").write_text("a,b,Damage\n1,2,3\n")
    result = study.run()
    assert result.returncode == 78 and "not both" in result.stderr


def test_measured_electrodes_feed_the_stage(study):
    study.write(more=QUICK, stages="[volume, segmentation, attributes, regression]")
    result = study.run()
    assert result.returncode == 0, result.stderr
    interior = column(study.output / "e1/attributes_leakfree.csv", "touches_border").count("0")
    summary = json.loads((study.output / "e1/regression.json").read_text())
    assert summary["rows_used"] == interior and summary["profile"] == "leak_free"
    assert read(study.output / "e1/contributions_paper.csv")[0] == CONTRIBUTIONS
    paper = study.run("--set", "attributes.profile=paper")
    assert paper.returncode == 0, paper.stderr
    assert "contain the cracks" in paper.stderr
    assert json.loads((study.output / "e1/regression.json").read_text())["profile"] == "paper"
    same = [(study.output / "e1" / f"contributions{end}.csv").read_bytes() for end in ("", "_paper")]
    assert same[0] == same[1]


def test_the_stage_alone_uses_finished_attributes_or_names_them(study):
    study.write(more=QUICK, stages="[volume, segmentation, attributes, regression]")
    missing = study.run("--only", "regression")
    assert missing.returncode == 78 and "e1/volume" in missing.stderr
    assert study.run("--until", "attributes").returncode == 0
    assert not (study.output / "e1/contributions.csv").exists()
    alone = study.run("--only", "regression")
    assert alone.returncode == 0, alone.stderr
    assert alone.stderr.count("up to date") == 3


def test_verify_regression_meets_its_tolerances(cathoscope):
    result = cathoscope("verify", "regression", timeout=600)
    assert result.returncode == 0, result.stdout
    assert ", 0 missed" in result.stdout and "planted first" in result.stdout


# --- shards of the regression ---------------------------------------------------------------------------------------

SHARED = ("regression: {trees: 2, max_leaves: 4, seeds: 2, subsets: 2, subset_size: 40, half_samples: 6, permutations: 110, "
          "spatial_folds: 3}\nstatistics: {permutations: 19, bootstraps: 10}\n")


@pytest.fixture(scope="module")
def shared(tmp_path_factory, cathoscope):
    """Two electrodes, one of them with two profiles, and the results of one run."""
    it = Tables(tmp_path_factory.mktemp("shared"), cathoscope)
    it.phantom("paper10", rows=60)
    write_table(it.folder / "free.csv", free_columns(rows=60))
    electrodes = [("own", "paper10/attributes.csv"),
                  ("free", "{path: free.csv, target: y, position: [px, py, pz], features: [a, b, c]}")]
    it.go = lambda *args, more=SHARED: it.run(electrodes, *args, more=more)
    result = it.go("--output", it.folder / "whole")
    assert result.returncode == 0, result.stderr
    it.whole = it.results(it.folder / "whole")
    return it


def fresh_output(shared, name):
    shared.output = shared.folder / name
    return "--output", shared.output


def run_shards(shared, output, shards, of):
    for i in shards:
        result = shared.go(*output, "--shard", f"{i}/{of}")
        assert result.returncode == 0, result.stderr
        assert f"shard {i} of {of} has finished" in result.stderr


def journals(shared, electrode="own"):
    return sorted((shared.output / electrode).glob(".contributions*.journal"))


def pieces_in(file):
    """Names of the pieces."""
    return [line.split(b" ", 2)[2] for line in file.read_bytes().splitlines()[1:] if line]


@pytest.mark.parametrize("of", [2, 3])
def test_shards_of_the_regression_and_the_run_after_them_are_one_run(shared, of):
    output = fresh_output(shared, f"of{of}")
    run_shards(shared, output, range(1, of + 1), of)
    assert [p.name for p in journals(shared)] == [f".contributions.shard-{i}-of-{of}.journal" for i in range(1, of + 1)]
    assert {p.name for p in shared.output.iterdir()} == {".cathoscope-run", ".lock", "own", "free"}
    names = [set(pieces_in(p)) for p in journals(shared)]
    assert all(names[i].isdisjoint(names[k]) for i in range(of) for k in range(i))
    sizes = [len(n) for n in names]
    assert max(sizes) < 1.2 * sum(sizes) / of  # shared evenly; they differ where permutations stop early
    result = shared.go(*output)
    assert result.returncode == 0, result.stderr
    assert f"own/regression: {sum(sizes)} forests that were finished before are used" in result.stderr
    assert shared.results() == shared.whole
    assert not journals(shared) and not journals(shared, "free")
    again = shared.go(*output, "--shard", f"1/{of}")
    assert again.returncode == 0 and again.stderr.count("up to date") == 2 and not journals(shared)


def test_a_shard_that_is_missing_and_one_that_was_torn_cost_time_only(shared):
    output = fresh_output(shared, "torn")
    run_shards(shared, output, (1, 3), 3)
    torn = journals(shared)[1]
    data = torn.read_bytes()
    torn.write_bytes(data[:len(data) // 2])
    assert shared.go(*output).returncode == 0
    assert shared.results() == shared.whole


def test_shards_of_another_number_go_on_where_others_were(shared):
    output = fresh_output(shared, "again")
    run_shards(shared, output, (1,), 2)
    first = set(pieces_in(journals(shared)[0]))
    run_shards(shared, output, (1, 2, 3), 3)
    for journal in journals(shared)[1:]:
        assert first.isdisjoint(pieces_in(journal))
    assert shared.go(*output).returncode == 0
    assert shared.results() == shared.whole


def test_shards_of_another_configuration_are_not_used(shared):
    output = fresh_output(shared, "seeds")
    run_shards(shared, output, (1,), 2)
    result = shared.go(*output, "--set", "seed=2", "--shard", "2/2")
    assert result.returncode == 0 and "own/regression: 1 journals of another configuration or table are not used" in result.stderr
    result = shared.go(*output)
    assert result.returncode == 0 and "1 journals of another configuration or table are not used" in result.stderr
    assert shared.results() == shared.whole and not journals(shared)


def test_shards_at_the_same_time_share_the_folder_but_not_with_a_run(shared):
    config = shared.folder / "t.yaml"
    output = fresh_output(shared, "together")
    shared.go(*output, "--dry-run")  # writes the configuration
    command = [binary(), "run", config, *output]
    processes = [subprocess.Popen([*command, "--shard", f"{i}/4"], stderr=subprocess.PIPE, text=True) for i in (1, 2, 3, 4)]
    assert [p.wait(120) for p in processes] == [0] * 4, [p.stderr.read() for p in processes]
    with open(shared.output / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # a shard that is still at work
        result = shared.go(*output)
        assert result.returncode == 75 and "is in use by shards" in result.stderr
        assert shared.go(*output, "--shard", "1/4").returncode == 0
        with open(journals(shared)[0]) as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            result = shared.go(*output, "--shard", "1/4")
            assert result.returncode == 75 and "another process works on shard 1 of 4" in result.stderr
    with open(shared.output / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a run
        assert shared.go(*output, "--shard", "1/4").returncode == 75
    assert shared.go(*output).returncode == 0
    assert shared.results() == shared.whole


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "x/2", "2"])
def test_shards_of_the_regression_that_make_no_sense(shared, text):
    result = shared.go(*fresh_output(shared, "nothing"), "--shard", text)
    assert result.returncode == 64 and text in result.stderr
    assert not shared.output.exists()


def test_a_stopped_shard_says_how_to_go_on(shared):
    output = fresh_output(shared, "stopped")
    result = shared.go(*output, "--only", "regression", "--shard", "1/2", "--time-limit", "1s", "--set",
                       "regression.permutations=1000000", "--set", "regression.trees=300")
    assert result.returncode == 75, result.stderr
    assert f"cathoscope run {shared.folder / 't.yaml'} --output {shared.output} --only regression --shard 1/2" in result.stderr
    assert pieces_in(journals(shared)[0])
