"""The stage figures of a run: what it draws, what is missing and why, when it draws again, what it needs."""
import json
import os
import shutil
import subprocess

import pytest
from test_regression_stage import QUICK, Tables

STATISTICAL = ["fig1b", "fig2a", "fig2b", "fig2c", "fig4c", "fig4c_paper", "figs7", "figs11", "figs12", "predicted",
               "shap_beeswarm", "shap_dependence", "damage_depth", "neighbour_share", "sham"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, cathoscope):
    """Two electrodes given as tables, up to their figures; without the latent dimensions."""
    tables = Tables(tmp_path_factory.mktemp("figures"), cathoscope)
    tables.electrodes = []
    for name, preset in (("ten", "paper10"), ("fifty", "paper50")):
        tables.phantom(preset)
        tables.electrodes.append((name, f"{preset}/attributes.csv"))
    tables.go = lambda *args, more=QUICK, stages="[regression, figures]": tables.run(tables.electrodes, *args, more=more,
                                                                                     stages=stages)
    tables.first = tables.go()
    assert tables.first.returncode == 0, tables.first.stderr
    return tables


@pytest.fixture
def again(drawn, tmp_path, cathoscope):
    """A copy of that study, to do things to."""
    shutil.copytree(drawn.folder, tmp_path / "copy")
    tables = Tables(tmp_path / "copy", cathoscope)
    tables.go = lambda *args, more=QUICK, stages="[regression, figures]": tables.run(drawn.electrodes, *args, more=more,
                                                                                     stages=stages)
    return tables


def listing(tables):
    return json.loads((tables.output / "figures/figures.json").read_text())


def test_every_figure_is_a_picture_a_table_and_a_script(drawn):
    found = {f["name"]: f for f in listing(drawn)["figures"]}
    assert set(STATISTICAL) <= set(found)
    for name in STATISTICAL:
        assert {f"{name}.{ending}" for ending in ("csv", "gp", "svg", "pdf")} <= set(found[name]["files"])
        for file in found[name]["files"]:
            assert (drawn.output / "figures" / file).stat().st_size > 0
        assert found[name]["synthetic"] is True and found[name]["caption"] and found[name]["title"]
        assert "synthetic data" in (drawn.output / "figures" / f"{name}.svg").read_text()
    assert not (drawn.output / "figures.work").exists()


def test_what_is_missing_is_listed_and_told_once(drawn):
    missing = {m["name"]: m["why"] for m in listing(drawn)["missing"]}
    assert "latent" in missing["fig4a"] and missing["fig4a"] == missing["fig4b"]
    told = [line for line in drawn.first.stderr.splitlines() if "not drawn:" in line and "fig4a" in line]
    assert len(told) == 1 and "fig4b" in told[0]


def test_nothing_is_drawn_twice_but_what_was_removed_is(again):
    assert "figures: up to date" in again.go().stderr
    before = {p.name: p.read_bytes() for p in (again.output / "figures").iterdir()}
    (again.output / "figures/fig1b.gp").write_text("# mine\n")  # a user's change is kept
    assert "figures: up to date" in again.go().stderr
    (again.output / "figures/fig1b.svg").unlink()
    assert "fig1b.svg is missing" in again.go().stderr
    assert {p.name: p.read_bytes() for p in (again.output / "figures").iterdir()} == before


def test_any_number_of_threads_gives_the_same_bytes(again):
    before = {p.name: p.read_bytes() for p in (again.output / "figures").iterdir()}
    assert again.go("--only", "figures", "--force", "--threads", "3").returncode == 0
    assert {p.name: p.read_bytes() for p in (again.output / "figures").iterdir()} == before


def test_a_user_draws_again_with_the_script(again):
    folder = again.output / "figures"
    before = (folder / "fig1b.svg").read_bytes()
    (folder / "fig1b.svg").unlink()
    subprocess.run(["gnuplot", "-d", "fig1b.gp"], cwd=folder, check=True, timeout=60, capture_output=True)
    assert (folder / "fig1b.svg").read_bytes() == before
    (folder / "style.gp").write_text((folder / "style.gp").read_text().replace("#D55E00", "#123456"))
    subprocess.run(["gnuplot", "-d", "fig1b.gp"], cwd=folder, check=True, timeout=60, capture_output=True)
    svg = (folder / "fig1b.svg").read_text()
    assert "rgb( 18,  52,  86)" in svg or "#123456" in svg


def test_only_what_is_asked_for(again):
    result = again.go(more=QUICK + "figures: {which: [fig1b], formats: svg}\n")
    assert result.returncode == 0, result.stderr
    names = {p.name for p in (again.output / "figures").iterdir()}
    assert {"fig1b.svg", "fig1b.csv", "fig1b.gp", "style.gp", "figures.json"} <= names
    assert not any(name.startswith("fig4c") or name.endswith(".pdf") for name in names)  # those of before are gone
    refused = again.go(more=QUICK + "figures: {which: [fig1z]}\n")
    assert refused.returncode == 78 and "fig1" in refused.stderr


def test_results_of_another_configuration_are_not_drawn(again):
    result = again.go("--only", "figures", "--set", "regression.trees=9")
    assert result.returncode == 0, result.stderr
    missing = {m["name"]: m["why"] for m in listing(again)["missing"]}
    assert "regression.trees" in missing["fig4c"] or "trees: " in missing["fig4c"]
    assert not (again.output / "figures/fig4c.svg").exists()


def test_without_gnuplot_it_says_what_to_install(again):
    empty = again.folder / "bin"
    empty.mkdir()
    shutil.rmtree(again.output / "figures")
    result = subprocess.run([*command(again)], env={**os.environ, "PATH": str(empty)}, capture_output=True, text=True,
                            timeout=120, check=False)
    assert result.returncode == 69 and "gnuplot-nox" in result.stderr
    assert (again.output / "contribution_runs.csv").exists()


def command(tables):
    import conftest
    return [conftest.binary(), "run", tables.folder / "t.yaml"]


def test_published_scores_stay_away_from_synthetic_data(again):
    (again.folder / "scores.csv").write_text("electrode,attribute,score\nten,Z,0.01\n")
    more = QUICK + "figures: {which: fig4c, published_scores: scores.csv}\n"
    assert again.go(more=more).returncode == 0
    assert not (again.output / "figures/fig4c_published.csv").exists()
    for preset in ("paper10", "paper50"):  # the same tables without the file that says where they come from
        (again.folder / preset / "truth.yaml").unlink()
    assert again.go(more=more).returncode == 0
    assert (again.output / "figures/fig4c_published.csv").exists()
    assert "synthetic" not in (again.output / "figures/fig4c.svg").read_text()


def test_no_electrode_is_no_error(tmp_path, cathoscope):
    (tmp_path / "t.yaml").write_text("name: t\noutput: out\nelectrodes: []\nstages: figures\n")
    result = cathoscope("run", tmp_path / "t.yaml")
    assert result.returncode == 0, result.stderr
    missing = {m["name"]: m["why"] for m in json.loads((tmp_path / "out/figures/figures.json").read_text())["missing"]}
    assert missing["fig1b"] == "the run has no electrode"


def test_every_figure_is_documented(cathoscope, source):
    schema = json.loads(cathoscope("init", "--schema").stdout)
    text = json.dumps(schema["properties"]["figures"]["properties"]["which"])
    page = (source / "docs/figures.md").read_text()
    names = set(json.loads("[" + text[text.index('"enum": [') + 9:text.index("]", text.index('"enum": ['))] + "]")) - {"all"}
    assert names and not [name for name in names if f"`{name}`" not in page]
