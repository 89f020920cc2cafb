"""Job scripts on a real Slurm of one node on loopback. Skipped unless slurmctld, slurmd and munged are installed (Debian:
slurm-wlm munge) and the tests run as root."""
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
SlurmdPort={next_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
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
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports():
    """Two ports in a row that nobody listens on."""
    for port in range(26817, 27817, 2):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue
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
    for name in ("", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    port = free_ports()
    (folder / "slurm.conf").write_text(CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder, port=port,
                                                            next_port=port + 1, cpus=os.cpu_count()))
    it = Cluster(folder)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    munge = ["/usr/sbin/munged", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
             f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"]
    try:
        subprocess.run(munge, check=True, capture_output=True)
        subprocess.run(["slurmctld", "-c"], env=it.env, check=True, capture_output=True)
        subprocess.run(["slurmd"], env=it.env, check=True, capture_output=True)
        wait_for(lambda: "idle" in it.run("sinfo", "-h", "-o", "%t").stdout, 120, "the node")
        yield it
    finally:
        for daemon in ("slurmd", "slurmctld", "munged"):
            stop(folder / f"{daemon}.pid")
        time.sleep(1)
        shutil.rmtree(folder, ignore_errors=True)


SMALL = ("--threads", 1, "--memory", 0.25, "--sbatch=--mem=0")


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
