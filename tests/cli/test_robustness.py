"""Failures of the surroundings: full disks in every stage, torn records, hostile weights, odd names, pipes that close.
docs/robustness.md lists every failure mode with its test."""
import csv
import datetime
import io
import json
import os
import pathlib
import pickle
import random
import resource
import shutil
import subprocess
import zipfile

import conftest
import h5py
import make_inputs
import numpy as np
import pytest

DATA, NO_INPUT, WRITE_ERROR, VERSION, CONFIG = 65, 66, 74, 76, 78


# --- 9, 12, 13: files and configurations ----------------------------------------------------------------------------

def test_a_filter_that_is_not_installed_is_named(study):
    with h5py.File(study.folder / "v.h5", "w") as f:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((10, 10, 10))
        creation.set_filter(32008, h5py.h5z.FLAG_OPTIONAL, (0,))
        dataset = h5py.h5d.create(f.id, b"v", h5py.h5t.STD_U8LE, h5py.h5s.create_simple((20, 20, 20)), creation)
        h5py.Dataset(dataset)[:] = 1
    study.config.write_text(study.config.read_text().replace("grey.npy", "v.h5"))
    result = study.run()
    assert result.returncode == DATA and "32008" in result.stderr and "bitshuffle" in result.stderr


def test_a_voxel_size_of_one_is_no_size(study):
    """Reconstruction programs write 1 where they know nothing."""
    (study.folder / "v.vol").write_bytes(bytes(1000))
    (study.folder / "v.vol.info").write_text("NUM_X = 10\nNUM_Y = 10\nNUM_Z = 10\nvoxelSize = 1\n")
    study.config.write_text(study.config.read_text().replace("{path: grey.npy, voxel_size_um: 0.2}", "v.vol"))
    result = study.run()
    assert result.returncode == CONFIG and "voxel_size_um" in result.stderr


def peak_of(arguments):
    """Peak resident bytes of one run of the program."""
    process = subprocess.Popen([conftest.binary(), *map(str, arguments)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_maxrss * 1024


def test_bombs_in_a_configuration_take_no_memory(tmp_path):
    (tmp_path / "plain.yaml").write_text("name: 1\n")
    bomb = "".join(f"{c}: &{c} [{','.join(['*' + p] * 9 if p else ['x'] * 9)}]\n" for p, c in zip(" abcdefgh".replace(" ", "\0"), "abcdefghi")
                   ).replace("*\0", "x")
    (tmp_path / "bomb.yaml").write_text(bomb)
    (tmp_path / "deep.yaml").write_text("name: " + "[" * 100000)
    plain = peak_of(["check", tmp_path / "plain.yaml"])
    for name in ("bomb", "deep"):
        assert peak_of(["check", tmp_path / f"{name}.yaml"]) < plain + (50 << 20), name


# --- 17: hardly any particles, all stages ---------------------------------------------------------------------------

@pytest.mark.parametrize("count", [0, 1, 2])
def test_all_stages_with_hardly_any_particle(study, count):
    z, y, x = np.indices((25, 25, 50))
    labels = np.zeros(z.shape, "u2")
    for k in range(count):
        labels[(z - 12) ** 2 + (y - 12) ** 2 + (x - 12 - 22 * k) ** 2 <= 64] = k + 1
    make_inputs.write_npy(study.folder / "few.npy", labels)
    make_inputs.write_npy(study.volume, np.where(labels > 0, 180, 60).astype("u1"))
    quick = ("latent: {restarts: 1, bootstraps: 20, permutations: 20, iterations: 20}\n"
             "regression: {trees: 3, seeds: 1, subsets: 1, half_samples: 2, permutations: 3}\n"
             "statistics: {bootstraps: 10, permutations: 9}\n")
    study.write("    labels: few.npy\n", quick, stages="all")
    result = study.run()
    assert result.returncode == 0, result.stderr
    assert "latent: skipped" in result.stderr and "regression: skipped" in result.stderr
    with open(study.output / "e1/attributes.csv", newline="") as f:
        rows = list(csv.reader(f))
    assert len(rows) == 1 + count and rows[0][0] == "label"
    assert not list(study.output.rglob(".*partial*"))
    study.write("    labels: few.npy\n", quick, stages="[volume, segmentation, attributes, latent]")
    assert study.run().returncode == DATA  # who asks for a stage by its name is told that it cannot be


# --- 22: a full disk in every stage ---------------------------------------------------------------------------------

STAGES = ["volume", "segmentation", "attributes", "latent", "regression", "chemomechanics", "figures"]


def fill(folder, pages):
    """A file that leaves so many pages of 4 KiB free."""
    free = os.statvfs(folder)
    with open(folder / "filler", "wb") as f:
        f.write(bytes(max(0, free.f_bavail * free.f_frsize - pages * 4096)))


long_test = pytest.mark.skipif(not os.environ.get("CATHOSCOPE_LONG_TESTS"),
                               reason="takes a minute: scripts/test-long.sh sets CATHOSCOPE_LONG_TESTS")


def results_of(study, folder):
    """Without the settings, which name the output, and the records of stages of the whole run, which tell times."""
    return {name: value for name, value in study.files(folder).items()
            if name not in {"config.yaml", "latent.json", "regression.json", "figures.json", "report.json", "report.html"}}


def unfinished(folder):
    return [*folder.rglob(".*partial*"), *folder.rglob("*.work")]


@long_test
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
@pytest.mark.parametrize("pages", [5, 10])
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_in_every_stage(study, stage, pages):
    make_inputs.write_study(study.folder,
                            "{trees: 3, seeds: 1, subsets: 1, half_samples: 2, permutations: 3, spatial_folds: 0}")
    mount = study.folder / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    out = mount / "out"
    try:
        before = STAGES[:STAGES.index(stage)] if stage != "chemomechanics" else []
        if before:
            assert study.run("--output", out, "--until", before[-1]).returncode == 0
        kept = study.files(out) if before else {}
        fill(mount, pages)
        only = ["--from", stage, "--until", stage]
        result = study.run("--output", out, *only)
        assert result.returncode == WRITE_ERROR, result.stderr
        assert str(mount) in result.stderr
        left = study.files(out) if out.exists() else {}
        assert {name: left.get(name) for name in kept if name != ".lock"} == {n: v for n, v in kept.items() if n != ".lock"}
        # the damage model keeps what it has: the next run goes on from there
        assert [p for p in unfinished(mount) if "chemomechanics.work" not in p.parts] == []
        (mount / "filler").unlink()
        result = study.run("--output", out, *only)
        assert result.returncode == 0, result.stderr
        assert unfinished(mount) == []
        assert study.run("--output", study.folder / "whole", "--until", stage,
                         *(["--from", stage] if stage == "chemomechanics" else [])).returncode == 0
        assert results_of(study, out) == results_of(study, study.folder / "whole")
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


# --- 27: records and notes that are not as they were ----------------------------------------------------------------

def test_a_flipped_bit_in_a_record_changes_no_result(study):
    assert study.run().returncode == 0
    whole = study.files()
    draw = random.Random(4)
    for record in sorted((study.output / "e1").glob("*.json")):
        if record.name == "summary.json":
            continue
        damaged = bytearray(record.read_bytes())
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        record.write_bytes(damaged)
    result = study.run()
    assert result.returncode == 0, result.stderr
    assert study.files() == whole


@pytest.mark.parametrize("text", ["", "{", "[]", '"volume"', "[" * 200000, "{\"a\":" * 100000, "\xff\xfe"],
                         ids=["empty", "torn", "list", "text", "deep list", "deep object", "no UTF-8"])
def test_a_record_of_anything_is_a_damaged_record(study, text):
    assert study.run("--until", "volume").returncode == 0
    (study.output / "e1/volume.json").write_bytes(text.encode("latin-1"))
    result = study.run("--until", "volume")
    assert result.returncode == 0, result.stderr
    assert "damaged stage record" in result.stderr
    assert study.run("--until", "volume").stderr.count("up to date") == 1


# --- 33: devices -----------------------------------------------------------------------------------------------------

@pytest.fixture
def gpu(cathoscope):
    """The first CUDA device; without one the test says so and is skipped."""
    devices = json.loads(cathoscope("info", "--json").stdout)["devices"]
    if not any(d.startswith("cuda") for d in devices):
        pytest.skip("needs a GPU and a program built with a CUDA libtorch; this one knows " + ", ".join(devices))
    return "cuda:0"


def by_network(study, source):
    study.config.write_text(study.config.read_text().replace(
        "{method: watershed, minimum_particle_um3: 0.1}",
        f"{{method: network, model: {source}/data/models/ci.h5, particle_diameter_um: 9.6, views: axial3}}"))


def test_a_gpu_finds_the_particles_that_the_cpu_finds(study, source, gpu):
    by_network(study, source)
    found = []
    for device in ("cpu", gpu):
        assert study.run("--until", "segmentation", "--device", device, "--output", study.folder / device[:4]).returncode == 0
        with h5py.File(study.folder / device[:4] / "e1/segmentation.h5") as f:
            found.append(f["labels"][...] > 0)
    assert np.mean(found[0] != found[1]) < 1e-3  # rounding may move a voxel over the threshold


def test_a_gpu_that_vanished_is_named(study, source, gpu):
    by_network(study, source)
    result = study.run("--until", "segmentation", "--device", gpu, env={"CUDA_VISIBLE_DEVICES": ""})
    assert result.returncode == 69 and "cuda" in result.stderr


# --- 35: weights that are something else ----------------------------------------------------------------------------

class Canary:
    """Unpickled by Python, this makes a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.system, (f"touch '{self.file}'",))


def pickle_archive(canary):
    """A zip as torch.save writes it, with a payload."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Canary(canary)))
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def torchscript_archive(canary):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02c__torch__\nM\nq\x00)\x81.")
        archive.writestr("model/code/__torch__.py",
                         f"class M(Module):\n  def forward(self, x):\n    return torch.from_file('{canary}', True, 4)\n")
        archive.writestr("model/constants.pkl", b"\x80\x02).")
        archive.writestr("model/version", "3\n")
    return out.getvalue()


def small_weights(source, change=None):
    """The smallest network of the fuzzing corpus, changed."""
    with h5py.File(source / "tests/fuzz/corpus/weights/small.h5", "r") as f, io.BytesIO() as out:
        with h5py.File(out, "w") as g:
            for key, value in f.attrs.items():
                g.attrs.create(key, value, dtype=f.attrs.get_id(key).dtype)
            for name in f:
                f.copy(name, g)
            if change:
                change(g)
        return out.getvalue()


def set_values(f, values):
    f["values"][...] = values


def huge(f):
    del f["values"]
    f.create_dataset("values", (10**15,), "f4", chunks=(1024,))


def values_elsewhere(f, how):
    """The weights in another file: somebody's password file, for instance."""
    folder = pathlib.Path(f.filename).parent
    count = f["values"].shape[0]
    del f["values"]
    if how == "storage":
        f.create_dataset("values", (count,), "f4", external=[("/etc/passwd", 0, 4 * count)])
    elif how == "link":
        f["values"] = h5py.ExternalLink(str(folder / "other.h5"), "/values")
    else:
        layout = h5py.VirtualLayout((count,), "f4")
        layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "values", shape=(count,))
        f.create_virtual_dataset("values", layout)


HOSTILE = {
    "empty": lambda canary, source: b"",
    "text": lambda canary, source: b"not weights at all\n",
    "pickle": lambda canary, source: pickle.dumps(Canary(canary)),
    "torch.save": lambda canary, source: pickle_archive(canary),
    "TorchScript": lambda canary, source: torchscript_archive(canary),
    "safetensors of 2 GB": lambda canary, source: (2 << 30).to_bytes(8, "little") + b"{}",
    "truncated": lambda canary, source: small_weights(source)[:3000],
    "a name without an end":
        lambda canary, source: (source / "tests/fuzz/corpus/weights/attribute_name_without_end.h5").read_bytes(),
    "NaN": lambda canary, source: small_weights(source, lambda f: set_values(f, np.nan)),
    "other values": lambda canary, source: small_weights(source, lambda f: set_values(f, 1)),
    "other shape": lambda canary, source: small_weights(source, lambda f: f.attrs.modify("shape", [1, 1, 2, 1, 0, 1, 0])),
    "huge shape": lambda canary, source: small_weights(source, lambda f: f.attrs.modify("shape", [8, 6, 512, 8, 4096, 512, 1])),
    "declares petabytes": lambda canary, source: small_weights(source, huge),
}


@pytest.mark.parametrize("how", ["storage", "link", "virtual"])
def test_weights_that_lie_in_another_file_are_refused(study, source, how):
    shutil.copyfile(source / "tests/fuzz/corpus/weights/small.h5", study.folder / "other.h5")
    shutil.copyfile(source / "tests/fuzz/corpus/weights/small.h5", study.folder / "model.h5")
    with h5py.File(study.folder / "model.h5", "r+") as f:
        values_elsewhere(f, how)
    study.config.write_text(study.config.read_text().replace("{method: watershed, minimum_particle_um3: 0.1}",
                                                            "{method: network, model: model.h5}"))
    result = study.run("--until", "segmentation")
    assert result.returncode == DATA and "lies in another file" in result.stderr, result.stderr


@pytest.mark.parametrize("how", ["storage", "link"])
def test_a_run_folder_of_a_stranger_gives_no_other_file_away(study, cathoscope, how):
    """Somebody sends a finished run whose volume is the content of a file of mine, with a record that fits."""
    assert study.run("--until", "volume").returncode == 0
    file = study.output / "e1/volume.h5"
    secret = study.folder / "secret.h5"
    shutil.copyfile(file, secret)
    with h5py.File(file, "r+") as f:
        shape = f["volume"].shape
        del f["volume"]
        if how == "link":
            f["volume"] = h5py.ExternalLink(str(secret), "/volume")
        else:
            f.create_dataset("volume", shape, "u1", external=[(str(secret), 0, int(np.prod(shape)))])
    result = cathoscope("export", study.output, "--stage", "volume", "--format", "npy")
    assert result.returncode == DATA and "lies in another file" in result.stderr, result.stderr
    assert not list(study.output.rglob("volume.npy"))


@pytest.mark.parametrize("name", ["e1/.attributes.csv.partial", "e1/.volume.h5.partial", "log.txt", ".lock",
                                  "e1/.contributions.journal", "figures.work", "chemomechanics.work"])
@pytest.mark.parametrize("target", ["file", "nothing"])
def test_a_link_in_a_run_folder_leads_no_write_out_of_it(study, name, target):
    """Somebody sends a run folder with links where the program is about to write."""
    assert study.run("--until", "volume").returncode == 0
    (study.output / "e1/volume.json").unlink()
    secret = study.folder / "secret"
    if target == "file":
        secret.write_text("years of work")
    link = study.output / name
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    study.write(more="chemomechanics: {protocol: {cycles: 1}}\nfigures: {which: [fig1b]}\n"
                     "regression: {trees: 3, seeds: 1, subsets: 1, half_samples: 2, permutations: 3}\n",
                stages="[volume, segmentation, attributes, regression, chemomechanics, figures]")
    result = study.run()
    assert result.returncode in (0, 73), result.stderr
    assert secret.read_text() == "years of work" if target == "file" else not secret.exists()


def undefined_symbols(file):
    if not shutil.which("nm"):
        pytest.skip("nm is not installed")
    symbols = subprocess.run(["nm", "-D", "--undefined-only", file], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in symbols.stdout.splitlines() if line.strip()}


def test_the_program_talks_to_no_network_and_starts_no_shell():
    program = conftest.binary().resolve()
    used = undefined_symbols(program)
    part = undefined_symbols(program.parents[1] / "lib/cathoscope/libcathoscope_torch.so")
    assert "posix_spawnp" in used  # gnuplot and sbatch, by their names and without a shell
    never = {"socket", "connect", "bind", "listen", "getaddrinfo", "system", "popen", "execve", "execvp", "setuid"}
    assert used.isdisjoint(never)
    assert part.isdisjoint({*never, "posix_spawnp", "dlopen"})


def test_the_program_loads_one_library_and_that_from_its_own_folder():
    files = [f for top in ("src", "include") for f in (conftest.SOURCE / top).rglob("*.?pp") if "dlopen(" in f.read_text()]
    assert [str(f.relative_to(conftest.SOURCE)) for f in files] == ["src/app/torch_part/calls.cpp"]
    assert files[0].read_text().count("dlopen(") == 1 and "/proc/self/exe" in files[0].read_text()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_weights_are_refused_and_nothing_in_them_runs(study, source, kind):
    canary = study.folder / "PWNED"
    (study.folder / "model.h5").write_bytes(HOSTILE[kind](canary, source))
    study.config.write_text(study.config.read_text().replace("{method: watershed, minimum_particle_um3: 0.1}",
                                                            "{method: network, model: model.h5}"))
    result = study.run("--until", "segmentation")
    assert result.returncode in (DATA, VERSION), result.stderr
    assert "model.h5" in result.stderr
    assert not canary.exists()
    assert not (study.output / "e1/segmentation.h5").exists()


# --- 36, 37, 38: names, clocks, pipes -------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [b"x" * 250 + b".npy", b"caf\xe9 \xff.npy", "\N{BATTERY}\N{COMBINING DIAERESIS}.npy".encode(),
                                  b"-rf.npy", b"a\tb.npy"], ids=["255 bytes", "no UTF-8", "emoji", "dash", "tab"])
def test_file_names_of_any_bytes(study, name):
    target = os.path.join(os.fsencode(study.folder), b"in", name)
    os.mkdir(os.path.dirname(target))
    shutil.copyfile(os.fsencode(study.volume), target)
    result = subprocess.run([study.program, "info", target], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert b"40 x 44 x 48" in result.stdout
    result = subprocess.run([study.program, "info", b"--json", target], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.decode("utf-8", "replace"))["shape"] == [40, 44, 48]


def test_an_output_folder_whose_name_is_no_utf8(study):
    output = os.path.join(os.fsencode(study.folder), b"caf\xe9")
    result = subprocess.run([study.program, "run", str(study.config), "--output", output], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert os.path.exists(os.path.join(output, b"e1/attributes.csv"))


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "CET-1CEST,M3.5.0,M10.5.0/3", "nonsense"])
def test_times_are_utc_wherever_the_machine_is(study, zone):
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    assert study.run("--until", "volume", env={"TZ": zone}).returncode == 0
    record = json.loads((study.output / "e1/volume.json").read_text())
    for text in (record["run"]["utc"], (study.output / "log.txt").read_text().split()[0]):
        said = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        assert before <= said <= datetime.datetime.now(datetime.timezone.utc)


@pytest.mark.parametrize("jump", ["-7200", "100000000"])
def test_a_clock_that_jumps_changes_no_result_and_no_duration(study, shim, jump):
    assert study.run("--output", study.folder / "whole").returncode == 0
    result = study.run(env={"LD_PRELOAD": str(shim), "INTERRUPT_CLOCK": jump})
    assert result.returncode == 0, result.stderr
    assert study.files() == study.files(study.folder / "whole")
    for stage in ("volume", "segmentation", "attributes"):
        assert 0 <= json.loads((study.output / f"e1/{stage}.json").read_text())["seconds"] < 600


@pytest.mark.parametrize("args", [["init"], ["init", "--schema"], ["info"], ["--help"]], ids=" ".join)
def test_who_reads_may_stop_reading(args):
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([conftest.binary(), *args], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("args", [["init"], ["info"]], ids=" ".join)
def test_results_that_cannot_be_written_are_an_error(args):
    with open("/dev/full", "w") as full:
        result = subprocess.run([conftest.binary(), *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == WRITE_ERROR and "No space left" in result.stderr


def test_messages_that_nobody_reads_do_not_stop_a_run(study):
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([study.program, "run", str(study.config)], stderr=writer, check=False)
    os.close(writer)
    assert result.returncode == 0
    assert (study.output / "e1/attributes.csv").exists()


# --- 32: memory -----------------------------------------------------------------------------------------------------

@long_test
def test_the_memory_budget_is_kept(study):
    """Peak memory of a run on 200 MB of voxels stays near a small budget: the program itself, and what the budget allows."""
    rng = np.random.default_rng(3)
    grey, _ = make_inputs.balls(shape=(50, 55, 60), radius=6)
    grey = np.tile(grey, (2, 2, 2))
    volume = np.lib.format.open_memmap(study.volume, mode="w+", dtype="u1", shape=(500, 640, 640))
    tile = np.clip(grey + rng.normal(0, 4, grey.shape), 0, 255).astype("u1")
    for z in range(0, 500, 100):
        for y in range(0, 640, 110):
            for x in range(0, 640, 120):
                part = volume[z:z + 100, y:y + 110, x:x + 120]
                part[...] = tile[:part.shape[0], :part.shape[1], :part.shape[2]]
    volume.flush()
    del volume
    small = peak_of(["info", study.volume])
    peak = peak_of(["run", study.config, "--until", "volume", "--memory", "0.1", "--threads", "2"])
    assert peak < small + (200 << 20), f"{peak >> 20} MiB, of which {small >> 20} MiB are the program"
