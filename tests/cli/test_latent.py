"""Stage latent through the program: two tables as electrodes, the files it leaves, what it refuses."""
import csv
import json
import math
import random

import pytest

COLUMNS = [f"f{g}{m}" for g in range(6) for m in "ab"]
TIMES = {"log.txt", "provenance.json", "ro-crate-metadata.json", "latent.json"}


def write_table(path, rows, link, seed, gaps=0):
    """Six factors of two columns; factors 0 and 1 correlate by `link`. The last column stands for damage."""
    draw = random.Random(seed)
    lines = ["label," + ",".join(COLUMNS) + ",Damage,touches_border"]
    for i in range(rows):
        f = [draw.gauss(0, 1) for _ in range(6)]
        f[1] = link * f[0] + math.sqrt(1 - link * link) * f[1]
        values = [f"{0.85 * f[g] + 0.5 * draw.gauss(0, 1):.6f}" for g in range(6) for _ in "ab"]
        if i < gaps:
            values[4] = ""
        lines.append(f"{1000 + i}," + ",".join(values) + f",{0.1 + 0.01 * draw.gauss(0, 1):.6f},{int(i % 50 == 0)}")
    path.write_text("\n".join(lines) + "\n")


def write_study(folder, tables, more=""):
    electrodes = "".join(f"  - {{name: {name}, table: {name}.csv}}\n" for name in tables)
    (folder / "study.yaml").write_text(
        "name: latents\noutput: out\nstages: [latent]\nelectrodes:\n" + electrodes
        + "latent: {dimensions: 7, restarts: 2, bootstraps: 200, permutations: 999, iterations: 60" + more + "}\n")
    return folder / "study.yaml"


def rows_of(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


@pytest.fixture
def planted(tmp_path):
    write_table(tmp_path / "one.csv", 500, 0.0, 1, gaps=5)
    write_table(tmp_path / "two.csv", 450, 0.6, 2)
    return tmp_path


def test_files_and_planted_link(planted, cathoscope):
    done = cathoscope("run", write_study(planted, ["one", "two"]))
    assert done.returncode == 0, done.stderr
    out = planted / "out"
    codes = rows_of(out / "one/latent.csv")
    assert list(codes[0]) == ["label"] + [f"LD{k}" for k in range(1, 8)]
    assert len(codes) == 490  # every fiftieth touches the border
    assert codes[0]["label"] == "1001"
    links = rows_of(out / "latent_links.csv")
    assert list(links[0]) == ["electrode", "i", "j", "r", "ci_low", "ci_high", "p", "q", "significant"]
    assert len(links) == 2 * 21
    differences = rows_of(out / "latent_differences.csv")
    assert list(differences[0]) == ["first", "second", "i", "j", "state", "delta_z", "p", "q", "different"]
    summary = json.loads((out / "latent_summary.json").read_text())
    members = [set(latent["attributes"]) for latent in summary["latents"]]
    pair = sorted(members.index(m) + 1 for m in ({"f0a", "f0b"}, {"f1a", "f1b"}))
    found = [d for d in differences if [int(d["i"]), int(d["j"])] == pair][0]
    assert (found["state"], found["different"]) == ("only_second", "1")
    assert sum(d["different"] == "1" for d in differences) == 1
    for electrode in summary["electrodes"]:
        assert [i["first"] for i in electrode["independence"]] == [2, 3, 4, 5, 6, 7]
    assert summary["comparisons"][0]["total_correlation"]["p"] < 0.01
    assert (out / "latent.h5").is_file()
    again = cathoscope("run", planted / "study.yaml")
    assert again.returncode == 0 and "up to date" in again.stderr


def test_same_bytes_for_any_number_of_threads(planted, cathoscope):
    study = write_study(planted, ["one", "two"])
    files = []
    for threads in (1, 3):
        out = planted / f"out{threads}"
        done = cathoscope("run", study, "--output", out, "--threads", threads)
        assert done.returncode == 0, done.stderr
        files.append({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*")
                      if p.is_file() and p.name not in TIMES})
    assert files[0] == files[1]


def test_one_electrode_has_no_differences(planted, cathoscope):
    done = cathoscope("run", write_study(planted, ["one"]))
    assert done.returncode == 0, done.stderr
    assert not (planted / "out/latent_differences.csv").exists()
    assert len(rows_of(planted / "out/latent_links.csv")) == 21


def test_refusals(planted, cathoscope):
    done = cathoscope("run", write_study(planted, ["one", "two"], ", dimensions: 14").with_name("study.yaml"))
    assert done.returncode == 78  # the key stands twice
    study = write_study(planted, ["one", "two"])
    done = cathoscope("run", study, "--set", "latent.dimensions=14")
    assert done.returncode == 78 and "13 columns" in done.stderr
    done = cathoscope("run", study, "--set", "latent.mode=oblike")
    assert done.returncode == 78 and "oblique" in done.stderr
    write_table(planted / "two.csv", 6, 0.0, 3)
    done = cathoscope("run", study)
    assert done.returncode == 65 and "5 usable rows" in done.stderr
    assert not (planted / "out/latent_links.csv").exists()


def test_tables_of_a_phantom(tmp_path, cathoscope):
    for name, preset in (("ten", "paper10"), ("fifty", "paper50")):
        done = cathoscope("phantom", "--preset", preset, "--output", tmp_path / name, "--tables-only", "--rows", 600)
        assert done.returncode == 0, done.stderr
        (tmp_path / name / "attributes.csv").rename(tmp_path / f"{name}.csv")
    done = cathoscope("run", write_study(tmp_path, ["ten", "fifty"]))
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out/latent_summary.json").read_text())
    assert "Damage" in summary["columns"] and "SurfInner" not in summary["columns"]
    groups = [set(latent["attributes"]) for latent in summary["latents"]]
    assert any({"SurfOuter", "Volume"} <= g for g in groups)
    assert any({"Sphericity", "VSratio"} <= g for g in groups)
    assert any({"PDensity", "DistNearest"} <= g for g in groups)
    for latent in summary["latents"]:
        assert latent["stability"] > 0.8


def test_real_table_of_beans(tmp_path, cathoscope, shared_data):
    lines = shared_data("particle_tables/Dry_Bean_Dataset.csv").read_text().splitlines()
    kinds = sorted({line.rsplit(",", 1)[1] for line in lines[1:]})[:2]
    for name, kind in zip(("first", "second"), kinds):
        (tmp_path / f"{name}.csv").write_text(
            "\n".join([lines[0]] + [line for line in lines[1:] if line.endswith("," + kind)][:400]) + "\n")
    study = tmp_path / "study.yaml"
    study.write_text("name: beans\noutput: out\nstages: [latent]\nelectrodes:\n" + "".join(
        f"  - {{name: {n}, table: {{path: {n}.csv, target: roundness}}}}\n" for n in ("first", "second"))
        + "latent: {dimensions: 4, restarts: 2, bootstraps: 100, permutations: 200, iterations: 60}\n")
    done = cathoscope("run", study)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out/latent_summary.json").read_text())
    assert summary["models"][0]["explained"][-1] > 0.8
