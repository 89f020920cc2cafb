"""A run folder: what runs again and why, what survives interruptions, who may use it."""
import csv
import fcntl
import json
import os
import signal
import subprocess
import time

import make_inputs
import pytest

STAGES = ["volume", "segmentation", "attributes"]


def table(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def test_a_run_leaves_every_file_of_the_contract(study):
    result = study.run()
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    names = set(study.files()) | {p.name for p in study.output.iterdir()} | {p.name for p in (study.output / "e1").iterdir()}
    for name in ["config.yaml", "log.txt", "provenance.json", "units.json", "volume.h5", "segmentation.h5", "summary.json",
                 "attributes.h5", "attributes.csv", "attributes_leakfree.csv", "volume.json"]:
        assert name in names, name
    rows = table(study.output / "e1/attributes.csv")
    summary = json.loads((study.output / "e1/summary.json").read_text())
    assert len(rows) == summary["particles"] > 5
    assert list(rows[0])[:25] == ["label", *"X,Y,Z,Yaw,Pitch,Roll,EDensity,Homogeneity,SurfInner,SurfOuter,Volume,Damage,"
                                  "Elongation,Sphericity,VSratio,RoughInner,RoughOuter,Contact,PDensity,DistNearest,ElongStd,"
                                  "VolumeStd,OrienIso,SphericityStd".split(",")]
    free = table(study.output / "e1/attributes_leakfree.csv")
    assert len(free) == len(rows) and "SurfInner" not in free[0] and "RoughInner" not in free[0]


def test_the_second_run_computes_nothing_and_says_so(study):
    study.run()
    before = study.files()
    times = {p: p.stat().st_mtime_ns for p in study.output.rglob("*.h5")}
    again = study.run()
    assert again.returncode == 0
    assert again.stderr.count("up to date") == 3
    assert study.files() == before
    assert {p: p.stat().st_mtime_ns for p in study.output.rglob("*.h5")} == times


def test_a_changed_setting_runs_only_what_it_touches(study):
    study.run()
    study.write(more="attributes: {contact_distance_um: 0.7}\n")
    dry = study.run("--dry-run")
    assert dry.returncode == 0
    assert dry.stderr.count("up to date") == 2
    assert "contact_distance_um: 0.7" in dry.stderr
    again = study.run()
    assert again.stderr.count("up to date") == 2 and "attributes: running" in again.stderr


def test_runtime_settings_change_nothing(study):
    study.run()
    before = study.files()
    again = study.run("--threads", "1", "--memory", "1")
    assert again.stderr.count("up to date") == 3
    assert study.files() == before


def test_threads_and_memory_give_the_same_bytes(study):
    study.run("--threads", "1")
    first = study.files()
    result = study.run("--threads", "3", "--memory", "0.5", "--output", study.folder / "other")
    assert result.returncode == 0, result.stderr
    assert study.files(study.folder / "other") == first


def test_a_touched_input_is_not_read_as_new_a_changed_one_is(study):
    study.run()
    os.utime(study.volume)
    assert study.run().stderr.count("up to date") == 3
    grey, _ = make_inputs.balls(grey=(50, 180))
    make_inputs.write_npy(study.volume, grey.astype("uint8"))
    dry = study.run("--dry-run")
    assert "input volume has other content" in dry.stderr
    assert "would run" in dry.stderr


def test_identical_recomputation_keeps_what_follows(study):
    study.run()
    again = study.run("--force", "--only", "volume")
    assert "volume: running (--force)" in again.stderr
    assert study.run().stderr.count("up to date") == 3


def test_a_deleted_result_is_made_again(study):
    study.run()
    before = study.files()
    (study.output / "e1/segmentation.h5").unlink()
    assert "segmentation.h5 is missing" in study.run("--dry-run").stderr
    assert study.run().returncode == 0
    assert study.files() == before


def test_a_changed_result_is_noticed(study):
    study.run()
    path = study.output / "e1/segmentation.h5"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    assert "segmentation.h5 was changed" in study.run("--dry-run").stderr


def test_a_damaged_record_means_that_the_stage_runs_again(study):
    study.run()
    (study.output / "e1/volume.json").write_text('{"stage": "vol')
    assert "damaged stage record" in study.run("--dry-run").stderr
    assert study.run().returncode == 0


def test_only_needs_what_comes_before(study):
    result = study.run("--only", "attributes")
    assert result.returncode == 78
    assert "volume" in result.stderr and "--from" in result.stderr


def test_until_then_from(study):
    result = study.run("--until", "segmentation")
    assert result.returncode == 0, result.stderr
    assert (study.output / "e1/segmentation.h5").exists()
    assert not (study.output / "e1/attributes.csv").exists()
    assert study.run("--from", "attributes").returncode == 0
    assert (study.output / "e1/attributes.csv").exists()


@pytest.mark.parametrize("args", [["--from", "magic"], ["--only", "volume", "--from", "volume"],
                                  ["--from", "attributes", "--until", "volume"], ["--time-limit", "soon"],
                                  ["--device", "tpu"]], ids=" ".join)
def test_stage_options_that_make_no_sense(study, args):
    assert study.run(*args).returncode == 64
    assert not study.output.exists()


@pytest.mark.parametrize("stages", ["volume", "[volume]", "[volume, segmentation]"])
def test_stages_that_nobody_asked_for_are_no_error(study, stages):
    study.write(stages=stages)
    result = study.run()
    assert result.returncode == 0, result.stderr
    assert (study.output / "provenance.json").exists()
    assert (study.output / "e1/segmentation.h5").exists() == ("segmentation" in stages)
    assert not (study.output / "e1/attributes.csv").exists()


def test_files_of_other_settings_do_not_stay(study):
    grey, _ = make_inputs.balls(shape=(20, 22, 24), radius=4)
    make_inputs.write_npy(study.folder / "coarse.npy", grey.astype("uint8"))
    study.write("  - name: e2\n    volume: {path: coarse.npy, voxel_size_um: 0.4}\n")
    assert study.run().returncode == 0
    assert (study.output / "e1/attributes_matched.csv").exists() and not (study.output / "e2/attributes_matched.csv").exists()
    assert study.run("--set", "attributes.match_resolution=false").returncode == 0
    assert not (study.output / "e1/attributes_matched.csv").exists()


def test_export_of_labels_can_be_joined_to_the_table(study, cathoscope):
    make_inputs.write_npy(study.folder / "labels.npy", study.labels * 7)
    study.write("    labels: labels.npy\n")
    assert study.run().returncode == 0
    assert cathoscope("export", study.output, "--stage", "segmentation", "--format", "npy").returncode == 0
    folder = study.output / "export/e1"
    joined = {int(r["index"]): int(r["label"]) for r in table(folder / "label_ids.csv")}
    assert [joined[i + 1] for i in range(len(joined))] == [int(r["label"]) for r in table(study.output / "e1/attributes.csv")]
    import numpy as np
    assert int(np.load(folder / "labels.npy").max()) == len(joined)
    assert cathoscope("export", study.output, "--stage", "volume", "--format", "npy", "--output", study.output / "e1").returncode == 73


def test_a_device_that_is_not_there(study):
    assert study.run("--device", "cuda:0").returncode == 69


def test_status_and_why(study, cathoscope):
    study.run()
    result = cathoscope("status", study.output)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("finished") == 3
    (study.output / "e1/attributes.csv").unlink()
    assert "attributes.csv is missing" in cathoscope("status", study.output, "--why").stdout
    assert cathoscope("status", study.folder).returncode == 66


def test_the_written_configuration_runs_as_it_is(study, cathoscope):
    study.run()
    before = study.files()
    result = cathoscope("run", study.output / "config.yaml", cwd="/")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("up to date") == 3
    assert study.files() == before


def test_set_overrides_the_file(study):
    result = study.run("--set", "attributes.neighbours=4", "--set", "electrodes[0].volume.bin=2")
    assert result.returncode == 0, result.stderr
    text = (study.output / "config.yaml").read_text()
    assert "neighbours: 4" in text and "bin: 2" in text


def test_a_folder_with_foreign_files_is_refused(study):
    study.output.mkdir()
    (study.output / "thesis.tex").write_text("years of work")
    result = study.run()
    assert result.returncode == 73
    assert [p.name for p in study.output.iterdir()] == ["thesis.tex"]


def test_a_folder_of_another_run_is_refused(study):
    study.run()
    study.config.write_text(study.config.read_text().replace("name: small", "name: other"))
    result = study.run()
    assert result.returncode == 73 and "small" in result.stderr


def test_output_that_cannot_be_made(study):
    (study.folder / "file").write_text("")
    assert study.run("--output", study.folder / "file").returncode == 73
    assert study.run("--output", study.folder / "file/below").returncode == 73


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_read_only_folder(study):
    study.folder.chmod(0o755)
    for parent in study.folder.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o005)
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(study.program), "run",
                             str(study.config)], capture_output=True, text=True, check=False)
    if "cannot execute" in result.stderr or "failed to execute" in result.stderr:
        pytest.skip("another user may not run this build: " + result.stderr.strip())
    assert result.returncode == 73, result.stderr


def test_an_electrode_folder_may_not_lead_elsewhere(study):
    study.run("--until", "volume")
    elsewhere = study.folder / "elsewhere"
    elsewhere.mkdir()
    folder = study.output / "e1"
    for p in folder.iterdir():
        p.unlink()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    assert study.run().returncode == 73
    assert list(elsewhere.iterdir()) == []


def test_two_runs_at_once(study):
    study.run()
    with open(study.output / ".lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 1 on host x")
        lock.flush()
        result = study.run()
    assert result.returncode == 75
    assert "process 1 on host x" in result.stderr


def start(study, *args):
    return subprocess.Popen([study.program, "run", str(study.config), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


@pytest.fixture
def longer_study(study):
    grey, _ = make_inputs.balls(shape=(120, 130, 140), radius=7)
    make_inputs.write_npy(study.volume, grey.astype("uint8"))
    return study


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU])
def test_a_signal_stops_in_good_order(longer_study, number):
    process = start(longer_study)
    while not (longer_study.output / "log.txt").exists() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("finished before the signal came")
    assert process.returncode == 75, err
    assert "cathoscope run" in err and "signal" in err
    assert longer_study.run().returncode == 0


@pytest.mark.parametrize("moment", [0.05, 0.4])
def test_killed_and_resumed_is_byte_identical(longer_study, moment):
    assert longer_study.run("--output", longer_study.folder / "whole").returncode == 0
    whole = longer_study.files(longer_study.folder / "whole")
    process = start(longer_study)
    time.sleep(moment)
    process.kill()
    process.communicate()
    result = longer_study.run()
    assert result.returncode == 0, result.stderr
    assert longer_study.files() == whole


def test_time_limit_and_stop_file(longer_study):
    stop = longer_study.folder / "stop"
    stop.write_text("")
    result = longer_study.run("--stop-file", stop)
    assert result.returncode in (0, 75)
    if result.returncode == 75:
        assert "stop file" in result.stderr


def test_file_size_limit_is_a_write_error(longer_study):
    result = subprocess.run(["bash", "-c", f"ulimit -f 400; exec '{longer_study.program}' run '{longer_study.config}'"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 74, result.stderr
    assert longer_study.run().returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_full_disk(longer_study):
    mount = longer_study.folder / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        result = longer_study.run("--output", mount / "out")
        assert result.returncode == 74, result.stderr
        assert "small" in result.stderr
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def test_no_terminal_no_stdout_strange_names(study):
    folder = study.folder / "mäßig  grün\n🔋"
    folder.mkdir()
    moved = folder / "küche.npy"
    moved.write_bytes(study.volume.read_bytes())
    config = folder / "s.yaml"
    config.write_text(study.config.read_text().replace("grey.npy", "küche.npy"))
    result = subprocess.run([study.program, "run", str(config)], stdout=None, stderr=subprocess.PIPE, check=False,
                            env={**os.environ, "TERM": "dumb", "LC_ALL": "C"},
                            preexec_fn=lambda: os.close(1))
    assert result.returncode == 0, result.stderr
    assert (folder / "out/e1/attributes.csv").exists()


def test_results_do_not_depend_on_the_locale(study):
    study.run()
    before = study.files()
    result = study.run("--output", study.folder / "german", env={"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8"})
    assert result.returncode == 0
    assert study.files(study.folder / "german") == before


def test_json_log(study):
    study.run("--json-log", study.folder / "log.json")
    lines = [json.loads(line) for line in (study.folder / "log.json").read_text().splitlines()]
    assert {"time", "level", "message"} <= set(lines[0])
    assert any("results" in line["message"] for line in lines)


def test_json_log_that_cannot_be_written(study):
    result = study.run("--json-log", study.folder / "nowhere" / "log.json")
    assert result.returncode == 73
    assert "nowhere/log.json cannot be written" in result.stderr
    assert not (study.folder / "nowhere").exists()
