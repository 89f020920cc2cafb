"""Job scripts on a real Slurm of two nodes that are this machine, on loopback. Skipped unless slurmctld, slurmd and munged are
installed (Debian: slurm-wlm munge) and the tests run as root. An array runs in every suite, the rest with
$CATHOSCOPE_LONG_TESTS."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

import make_inputs
import numpy as np
import pytest

CONFIGURATION = """ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool_%n
TmpFS={folder}/tmp_%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd_%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd_%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ReturnToService=2
KillWait=30
MinJobAge=300
JobRequeue=1
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=2 RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
"""


def free_ports(count):
    """Ports in a row that nobody listens on."""
    for first in range(26817, 27817, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for i, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + i))
            return range(first, first + count)
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    pytest.skip("no free ports")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.3)


def stop(pid_file):
    if pid_file.exists() and pid_file.read_text().strip():
        subprocess.run(["kill", pid_file.read_text().strip()], check=False)


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def run(self, *command):
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def job(self, number):
        """The facts of a job, as scontrol shows them."""
        text = self.run("scontrol", "show", "job", "-o", number).stdout
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def wait_done(self, number, seconds=300):
        """Until it is finished for good; a requeued job does not wait its two minutes."""
        def done():
            job = self.job(number)
            if job.get("JobState") == "PENDING" and job.get("Reason") == "BeginTime":
                self.run("scontrol", "update", f"jobid={number}", "StartTime=now")
            return job.get("JobState") in {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
        wait_for(done, seconds, f"job {number}: {self.job(number)}")
        return self.job(number)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    for program in ("slurmctld", "slurmd", "munged", "sbatch"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            pytest.skip(f"{program} is not installed")
    if os.geteuid() != 0:
        pytest.skip("the daemons of Slurm need root")
    folder = pathlib.Path("/var/tmp") / f"cathoscope-slurm-{os.getpid()}"
    for name in ("", "state", "spool_n1", "spool_n2", "tmp_n1", "tmp_n2"):
        (folder / name).mkdir(mode=0o755)
    ports = free_ports(3)
    (folder / "slurm.conf").write_text(CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder,
                                                            port=ports[0], port1=ports[1], port2=ports[2]))
    it = Cluster(folder)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    munge = ["/usr/sbin/munged", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
             f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"]
    try:
        subprocess.run(munge, check=True, capture_output=True)
        subprocess.run(["slurmctld", "-c"], env=it.env, check=True, capture_output=True)
        for node in ("n1", "n2"):
            subprocess.run(["slurmd", "-N", node], env=it.env, check=True, capture_output=True)
        wait_for(lambda: it.run("sinfo", "-h", "-N", "-p", "batch", "-o", "%t").stdout.split() == ["idle"] * 2, 120, "the nodes")
        yield it
    finally:
        for daemon in ("slurmd_n1", "slurmd_n2", "slurmctld", "munged"):
            stop(folder / f"{daemon}.pid")
        time.sleep(1)
        shutil.rmtree(folder, ignore_errors=True)


SMALL = ("--threads", 1, "--memory", 0.25)
long_test = pytest.mark.skipif(not os.environ.get("CATHOSCOPE_LONG_TESTS"),
                               reason="takes a minute: scripts/test-long.sh sets CATHOSCOPE_LONG_TESTS")


def submitted(cathoscope, cluster, *args):
    """The numbers of the jobs."""
    result = cathoscope("submit", *args, "--slurm", *SMALL, env=cluster.env)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def logs_of(folder):
    return "".join(p.read_text() for p in sorted(folder.glob("*.log")))


def test_an_array_and_the_job_after_it_give_the_bytes_of_one_run(study, cathoscope, cluster):
    grey, _ = make_inputs.balls(shape=(20, 22, 24), radius=5)
    make_inputs.write_npy(study.folder / "grey2.npy", grey.astype("uint8"))
    study.write("  - name: e2\n    volume: {path: grey2.npy, voxel_size_um: 0.2}\n")
    assert study.run("--output", study.folder / "whole").returncode == 0
    result = cathoscope("submit", study.config, "--slurm", *SMALL, env=cluster.env)
    assert result.returncode == 0, result.stderr
    array, last = result.stdout.split()
    job = cluster.wait_done(last)
    logs = "".join(p.read_text() for p in (study.folder / "out.slurm").glob("*.log"))
    assert job["JobState"] == "COMPLETED" and job["ExitCode"] == "0:0", logs
    assert cluster.job(f"{array}_2")["JobState"] == "COMPLETED"
    assert study.files() == study.files(study.folder / "whole")
    assert "of 2 shards" in logs


@long_test
def test_a_stopped_job_is_requeued_and_goes_on_to_the_same_bytes(study, cathoscope, cluster):
    grey, _ = make_inputs.balls()
    make_inputs.write_npy(study.volume, np.tile(grey.astype("uint8"), (4, 4, 4)))
    result = cathoscope("submit", study.config, "--slurm", *SMALL, env=cluster.env)
    number = result.stdout.strip()
    log = study.output / "log.txt"
    wait_for(log.exists, 120, "the run to begin")
    cluster.run("scancel", "--signal=USR1", number)
    job = cluster.wait_done(number)
    text = (study.folder / "out.slurm/study.log").read_text()
    assert job["JobState"] == "COMPLETED", text
    if job["Restarts"] == "0":
        pytest.skip("the run was over before the signal came")
    assert "stopped by signal" in text
    assert study.run("--output", study.folder / "whole").returncode == 0
    assert study.files() == study.files(study.folder / "whole")


def long_study(study):
    """Some seconds of work, so that something can happen to it meanwhile."""
    grey, _ = make_inputs.balls()
    make_inputs.write_npy(study.volume, np.tile(grey.astype("uint8"), (5, 5, 5)))
    return study


@long_test
def test_a_job_that_is_preempted_goes_on_when_there_is_room(study, cathoscope, cluster):
    number, = submitted(cathoscope, cluster, long_study(study).config, "--sbatch=--exclusive", "--sbatch=--nodelist=n1")
    wait_for((study.output / "log.txt").exists, 120, "the run to begin")
    urgent = cluster.run("sbatch", "--parsable", "--partition=urgent", "--exclusive", "--nodelist=n1", "--output=/dev/null",
                         "--wrap=sleep 3").stdout.strip()
    assert cluster.wait_done(urgent)["JobState"] == "COMPLETED"
    job = cluster.wait_done(number)
    text = logs_of(study.folder / "out.slurm")
    assert job["JobState"] == "COMPLETED", text
    if job["Restarts"] == "0":
        pytest.skip("the run was over before the urgent job came")
    assert study.run("--output", study.folder / "whole").returncode == 0
    assert study.files() == study.files(study.folder / "whole")


@long_test
def test_a_study_of_the_model_is_an_array_that_shares_its_runs(cathoscope, cluster, tmp_path):
    file = tmp_path / "model.yaml"
    file.write_text("name: model\noutput: out\nelectrodes: []\nstages: chemomechanics\nchemomechanics:\n"
                    "  protocol: {cycles: 2}\n  time: {dtau_charge: 0.05, dtau_discharge: 0.1}\n")
    whole = tmp_path / "whole"
    assert cathoscope("explore", file, "--study", "morris", "--trajectories", 2, "--output", whole).returncode == 0
    array, last = submitted(cathoscope, cluster, file, "--study", "morris", "--trajectories", 2, "--shards", 3, "--output",
                            tmp_path / "parts")
    job = cluster.wait_done(last)
    text = logs_of(tmp_path / "parts.slurm")
    assert job["JobState"] == "COMPLETED", text
    assert cluster.job(f"{array}_3")["JobState"] == "COMPLETED"
    for name in ("morris.csv", "morris_runs.csv"):
        assert (whole / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


@long_test
def test_the_forests_of_a_regression_are_an_array_and_give_the_bytes_of_one_run(cathoscope, cluster, tmp_path):
    assert cathoscope("phantom", "--preset", "paper10", "--tables-only", "--rows", 150, "--output",
                      tmp_path / "table").returncode == 0
    file = tmp_path / "t.yaml"
    file.write_text("name: t\noutput: out\nelectrodes:\n  - {name: e, table: table/attributes.csv}\nstages: regression\n"
                    "regression: {trees: 8, seeds: 4, subsets: 4, half_samples: 40, permutations: 200}\nstatistics: {bootstraps: 20, permutations: 20}\n")
    assert cathoscope("run", file, "--output", tmp_path / "whole").returncode == 0
    array, last = submitted(cathoscope, cluster, file, "--shards", 3)
    journals = tmp_path / "out/e"
    wait_for(lambda: len(list(journals.glob(".contributions.shard-?-of-3.journal"))) >= 2, 120, "shards at the same time")
    cluster.run("scancel", "--signal=USR1", f"{array}_1")  # one is stopped, and goes on
    cluster.wait_done(f"{array}_1")
    job = cluster.wait_done(last)
    text = logs_of(tmp_path / "out.slurm")
    assert job["JobState"] == "COMPLETED", text
    assert all(cluster.job(f"{array}_{i}")["JobState"] == "COMPLETED" for i in (1, 2, 3))
    assert text.count("this shard is done") == 3 and "forests that were finished before are used" in text
    for path in sorted((tmp_path / "whole").rglob("*.csv")):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes(), path
    assert not list(journals.glob(".contributions*"))


def mpi_program(study):
    program = study.program.with_name("cathoscope-mpi")
    if not program.is_file():
        pytest.skip("there is no cathoscope-mpi: it was built without -DCATHOSCOPE_MPI=ON")
    return program


@long_test
def test_ranks_on_two_nodes_give_the_bytes_of_one_process(study, cathoscope, cluster):
    mpi_program(study)
    number, = submitted(cathoscope, cluster, study.config, "--ranks", 2, "--sbatch=--nodes=2")
    job = cluster.wait_done(number)
    text = logs_of(study.folder / "out.slurm")
    assert job["JobState"] == "COMPLETED", text
    assert job["NumNodes"] == "2" and "2 ranks share" in text
    assert study.run("--output", study.folder / "whole").returncode == 0
    assert study.files() == study.files(study.folder / "whole")


@long_test
def test_ranks_stop_in_good_order_and_their_job_goes_on(study, cathoscope, cluster):
    mpi_program(study)
    number, = submitted(cathoscope, cluster, long_study(study).config, "--ranks", 2)
    wait_for((study.output / "log.txt").exists, 120, "the run to begin")
    cluster.run("scancel", "--signal=TERM", number)
    job = cluster.wait_done(number)
    text = logs_of(study.folder / "out.slurm")
    assert job["JobState"] == "COMPLETED", text
    if job["Restarts"] == "0":
        pytest.skip("the run was over before the signal came")
    assert text.count("stopped by signal") == 1, text
    assert study.run("--output", study.folder / "whole").returncode == 0
    assert study.files() == study.files(study.folder / "whole")


@long_test
def test_the_plain_program_started_twice_by_srun_says_so(study, cluster):
    result = cluster.run("srun", "--ntasks=2", "--mem=0", str(study.program), "run", str(study.config))
    assert result.returncode == 64 and result.stderr.count("built without MPI") == 1, result.stderr
    assert not study.output.exists()
    # in a batch script, or an allocation, one process is one process however many tasks could be started
    script = study.folder / "one.sh"
    script.write_text(f"#!/bin/bash\n#SBATCH --ntasks=2\n#SBATCH --mem=0\n#SBATCH --output={study.folder}/one.log\n"
                      f"{study.program} run {study.config}\n")
    number = cluster.run("sbatch", "--parsable", str(script)).stdout.strip()
    assert cluster.wait_done(number)["JobState"] == "COMPLETED", (study.folder / "one.log").read_text()
