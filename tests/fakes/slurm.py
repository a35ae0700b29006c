"""A real SLURM of one user's own: its daemons on free ports, everything else in a folder.

`make slurm` unpacks its programs (Debian, Ubuntu); where they are missing, tests that need them are skipped.
"""

import getpass
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".venv" / "slurm"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
NEEDED = ("slurmctld-wlm", "slurmd-wlm", "slurmstepd-wlm")
READY_S = 30.0
NODE = "wattnode"

CONFIG = """\
ClusterName=t
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool
SlurmctldPidFile={run}/ctld.pid
SlurmdPidFile={run}/d.pid
SlurmctldLogFile={run}/ctld.log
SlurmdLogFile={run}/d.log
PluginDir={plugins}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={run}/jobcomp.log
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptMode=OFF
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


class NoSlurm(RuntimeError):
    """Its programs are not there, or do not start."""


class Slurm:
    """A cluster of one node that runs."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self.folder = folder
        self.env = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "LD_LIBRARY_PATH": f"{root / LIBRARIES}:{root / LIBRARIES / 'slurm-wlm'}",
            "PATH": f"{root / 'usr/bin'}:{os.environ['PATH']}",
        }

    def call(self, *words: str, env: dict[str, str] | None = None, timeout_s: float = 60) -> str:
        """What a command of SLURM's says; raises if it fails."""
        done = subprocess.run(
            words, env={**(env or {}), **self.env}, capture_output=True, text=True, check=False,
            timeout=timeout_s, cwd=self.folder,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{words[0]} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Start it, wait until its node is idle; end its jobs, then itself.

    Raises
    ------
    NoSlurm
        If that cannot be.
    """
    root = _programs()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    _configure(root, folder)
    cluster = Slurm(root, folder)
    daemons = [
        _start(cluster, folder / "ctld.out", str(root / "usr/sbin/slurmctld-wlm"), "-D", "-c"),
        _start(
            cluster, folder / "d.out", str(root / "usr/sbin/slurmd-wlm"), "-D", "-N", NODE,
            "-d", str(root / "usr/sbin/slurmstepd-wlm"),
        ),
    ]  # fmt: skip
    try:
        _wait(cluster)
        yield cluster
        _end_jobs(cluster)
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _programs() -> Path:
    if sys.platform != "linux":
        raise NoSlurm("SLURM runs on Linux only")
    if not all((UNPACKED / "usr/sbin" / name).exists() for name in NEEDED):
        raise NoSlurm("SLURM's programs are not here; unpack them with: make slurm")
    return UNPACKED


def _configure(root: Path, folder: Path) -> None:
    (folder / "slurm.conf").write_text(
        CONFIG.format(
            host=socket.gethostname().partition(".")[0],
            user=getpass.getuser(),
            ctld_port=_free_port(),
            d_port=_free_port(),
            run=folder,
            plugins=root / LIBRARIES / "slurm-wlm",
            node=NODE,
        )
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _start(cluster: Slurm, log: Path, *words: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(words, env={**os.environ, **cluster.env}, stdout=file, stderr=file)


def _end_jobs(cluster: Slurm) -> None:
    """A job that still runs when the daemons end leaves its slurmstepd behind."""
    for state in ("PENDING", "SUSPENDED", "RUNNING"):
        cluster.call("scancel", f"--state={state}")
    until_s = time.monotonic() + READY_S
    while left := cluster.call("squeue", "-h").strip():
        if time.monotonic() > until_s:
            raise AssertionError(f"jobs do not end: {left}")
        time.sleep(0.2)


def _wait(cluster: Slurm) -> None:
    until_s = time.monotonic() + READY_S
    said = ""
    while time.monotonic() < until_s:
        try:
            said = cluster.call("sinfo", "-h", "-o", "%T", timeout_s=10).strip()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            said = str(error)
        if said == "idle":
            return
        time.sleep(0.2)
    raise NoSlurm(f"SLURM does not start: {said}; its logs are in {cluster.folder}")
