"""The damage model from the command line: configurations, resuming, measured particles, studies."""
import csv
import json
import os

import pytest

COLUMNS = ("cycle,half_cycle,time_s,tau,particle,concentration,damage,hoop_stress_max_MPa,interface_resistance_ohm_m2,"
           "voltage_V,current_A")


def write(folder, block, stages="chemomechanics", more="electrodes: []\n"):
    file = folder / "model.yaml"
    file.write_text(f"name: model\noutput: out\n{more}stages: {stages}\n{block}")
    return file


SHORT = "chemomechanics:\n  protocol: {cycles: 2}\n"


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_network_needs_no_electrode(cathoscope, tmp_path):
    done = cathoscope("run", write(tmp_path, SHORT))
    assert done.returncode == 0, done.stderr
    assert "Pi_st" in done.stderr  # the dimensionless groups are printed at the start
    out = tmp_path / "out"
    assert (out / "chemomechanics.csv").read_text().splitlines()[0] == COLUMNS
    table = rows(out / "chemomechanics.csv")
    assert {r["half_cycle"] for r in table} == {"charge", "discharge"}
    assert {r["particle"] for r in table} == {"1", "2", "3"}
    assert not (out / "chemomechanics.work").exists()
    again = cathoscope("run", tmp_path / "model.yaml")
    assert "up to date" in again.stderr


def test_the_stage_runs_by_its_block_or_by_its_name(cathoscope, tmp_path):
    assert cathoscope("run", write(tmp_path, "", stages="all")).returncode == 0
    assert not (tmp_path / "out/chemomechanics.csv").exists()
    assert cathoscope("run", write(tmp_path, "", stages="chemomechanics")).returncode == 0
    assert (tmp_path / "out/chemomechanics.csv").exists()


def test_threads_do_not_change_a_byte(cathoscope, tmp_path):
    file = write(tmp_path, SHORT)
    results = []
    for threads in (1, 3):
        out = tmp_path / f"threads{threads}"
        assert cathoscope("run", file, "--output", out, "--threads", threads).returncode == 0
        results.append([(out / n).read_bytes() for n in ("chemomechanics.csv", "chemomechanics.h5")])
    assert results[0] == results[1]


def test_a_stopped_run_goes_on_to_the_same_bytes(cathoscope, tmp_path):
    block = "chemomechanics:\n  protocol: {cycles: 2}\n  time: {dtau_charge: 0.0002, dtau_discharge: 0.0002}\n"
    file = write(tmp_path, block)
    assert cathoscope("run", file, "--output", tmp_path / "whole").returncode == 0
    stop = tmp_path / "stop"
    stop.touch()
    stopped = cathoscope("run", file, "--output", tmp_path / "broken", "--stop-file", stop)
    assert stopped.returncode in (0, 75)  # 0: it was done before the file was looked for
    assert cathoscope("run", file, "--output", tmp_path / "broken").returncode == 0
    for name in ("chemomechanics.csv", "chemomechanics.h5", "chemomechanics_cycles.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()


def test_divergence_is_1_with_a_report(cathoscope, tmp_path):
    done = cathoscope("run", write(tmp_path, "chemomechanics:\n  protocol: {charge_C: 60, V_max: 1000}\n"))
    assert done.returncode == 1
    for part in ("cycle 1", "Worst: particle", "Residuals", "Likely", "last_good.h5"):
        assert part in done.stderr
    assert (tmp_path / "out/chemomechanics.work/last_good.h5").exists()
    assert not (tmp_path / "out/chemomechanics.csv").exists()


def test_configuration_errors_are_located(cathoscope, tmp_path):
    cases = {
        "{geometry: {coverage: [0.1, 0.2]}}": "has 2 values for 3 particles",
        "{protocol: {x_end: 0.96}}": "must be below x_initial",
        "{kinetics: {feedback: film}}": "film_ohm_m2",
        "{cohesive: {toughness_J_m2: 1.0e-9}}": "is too small",
        "{geometry: {particles_from: nowhere}}": "no electrode is called 'nowhere'",
        "{model: finite_element}": "network",
        "{kinetics: {feedbak: none}}": "feedback",
    }
    for block, message in cases.items():
        done = cathoscope("run", write(tmp_path, f"chemomechanics: {block}\n"))
        assert done.returncode == 78, block
        assert message in done.stderr and "model.yaml:" in done.stderr, done.stderr


def test_measured_particles(study):
    study.write(stages="[volume, segmentation, attributes, chemomechanics]",
                more="chemomechanics:\n  geometry: {particles_from: e1, proxy: one_minus_contact}\n"
                     "  protocol: {cycles: 2, charge_C: 1}\n")
    done = study.run()
    assert done.returncode == 0, done.stderr
    table = rows(study.output / "chemomechanics_measured.csv")
    attributes = rows(study.output / "e1/attributes.csv")
    assert [r["label"] for r in table] == [r["label"] for r in attributes]
    for row, measured in zip(table, attributes):
        volume = 4 / 3 * 3.141592653589793 * float(row["radius_um"]) ** 3
        assert abs(volume / float(measured["Volume"]) - 1) < 1e-9
        assert abs(float(row["coverage"]) - (1 - float(measured["Contact"]))) < 1e-12
    report = json.loads((study.output / "chemomechanics_measured.json").read_text())
    assert report["exploratory"] is True
    assert report["particles"] == len(table)
    assert {"network", "radius_only", "spearman_volume"} <= report.keys()
    before = study.files()
    only = study.run("--only", "chemomechanics", "--force")
    assert only.returncode == 0, only.stderr
    assert study.files() == before


def test_measured_particles_of_a_table_that_was_given(cathoscope, tmp_path):
    lines = ["label,X,Y,Z,Volume,Damage,Contact"]
    for k in range(30):
        lines.append(f"{100 + k},{7 * (k % 5)},{7 * (k // 5)},{3 + k},{200 + 37 * (k * k % 11)},{k % 7 / 20},{k % 10 / 10}")
    (tmp_path / "particles.csv").write_text("\n".join(lines) + "\n")
    block = "chemomechanics:\n  geometry: {particles_from: old}\n  protocol: {cycles: 1}\n"
    file = write(tmp_path, block, more="electrodes:\n  - {name: old, table: {path: particles.csv}}\n")
    done = cathoscope("run", file)
    assert done.returncode == 0, done.stderr
    table = rows(tmp_path / "out/chemomechanics_measured.csv")
    assert [r["label"] for r in table] == [str(100 + k) for k in range(30)]
    assert abs(float(table[3]["coverage"]) - 0.7) < 1e-12
    assert "up to date" in cathoscope("run", file).stderr
    (tmp_path / "particles.csv").write_text("\n".join(lines[:20]) + "\n")
    assert cathoscope("run", file).returncode == 0
    assert len(rows(tmp_path / "out/chemomechanics_measured.csv")) == 19


def test_measured_particles_need_the_attributes(study):
    study.write(stages="chemomechanics", more="chemomechanics:\n  geometry: {particles_from: e1}\n")
    done = study.run()
    assert done.returncode == 78
    assert "--from" in done.stderr


def test_studies_resume_and_shard(cathoscope, tmp_path):
    file = write(tmp_path, "chemomechanics:\n  protocol: {cycles: 2}\n  time: {dtau_charge: 0.05, dtau_discharge: 0.1}\n")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert cathoscope("explore", file, "--study", "morris", "--trajectories", 2, "--output", whole).returncode == 0
    first = cathoscope("explore", file, "--study", "morris", "--trajectories", 2, "--output", parts, "--shard", "1/2")
    assert first.returncode == 0 and not (parts / "morris.csv").exists()
    assert cathoscope("explore", file, "--study", "morris", "--trajectories", 2, "--output", parts, "--shard",
                      "2/2").returncode == 0
    for name in ("morris.csv", "morris_runs.csv"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
    figure = whole / "figures"
    assert (figure / "model_morris.svg").stat().st_size > 1000 and (figure / "model_morris.gp").exists()
    assert cathoscope("explore", file, "--study", "tarot", "--output", whole).returncode == 64
    assert cathoscope("explore", file, "--study", "laws", "--output", whole, "--shard", "3/2").returncode == 64


def test_a_study_goes_where_the_figures_of_the_run_look(cathoscope, tmp_path):
    file = write(tmp_path, "chemomechanics:\n  protocol: {cycles: 2}\n  time: {dtau_charge: 0.05, dtau_discharge: 0.1}\n")
    done = cathoscope("explore", file, "--study", "coverage")
    assert done.returncode == 0, done.stderr
    found = list(tmp_path.glob("**/explore/coverage.csv"))
    assert len(found) == 1
    table = rows(found[0])
    assert len(table) == 27 and {"together_cycle", "damage_mean_sync"} <= table[0].keys()
    output = found[0].parents[1]
    assert cathoscope("run", file, "--output", output, "--set", "stages=[chemomechanics, figures]").returncode == 0
    figures = json.loads((output / "figures" / "figures.json").read_text())
    assert {"fig3d", "model_synchrony"} <= {f["name"] for f in figures["figures"]}
    assert "--study laws" in next(m["why"] for m in figures["missing"] if m["name"] == "model_laws")


@pytest.mark.skipif("CATHOSCOPE_LONG" not in os.environ, reason="minutes; scripts/test-long.sh sets CATHOSCOPE_LONG")
def test_verify(cathoscope):
    done = cathoscope("verify", "chemomechanics", timeout=7200)
    assert done.returncode == 0 and " 0 missed" in done.stdout
    for row in ("V1 ", "V5:", "V12:", "V19:", "V21:", "V22:", "V23:"):
        assert row in done.stdout


def test_verify_knows_its_parts(cathoscope):
    refused = cathoscope("verify", "tarot")
    assert refused.returncode == 64 and "chemomechanics" in refused.stderr


def test_the_configurations_of_the_figures_are_valid(cathoscope, source):
    for name in ("fig3", "fig3_elements", "fig3_voltage", "figs4"):
        done = cathoscope("check", source / f"configs/{name}.yaml")
        assert done.returncode == 0, done.stderr
