"""Make this Linux look like another system to what is imported afterwards: run first in a child of its own.

What a system has not is taken away: names of ``os`` and ``signal``, modules, and files of the kernel.
Others' packages were imported before and keep what they need, as there they would have their own.
"""

# ruff: noqa: F401  what is imported here is others', and must find a whole system
import asyncio
import builtins
import ctypes.util
import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy
import numpy.random
import psutil

HIDDEN = ("/proc", "/sys", "/dev/tty", "/etc/localtime", "/run/cloud-init")
LACKS = {
    "win32": {
        os: (
            "O_CLOEXEC register_at_fork fork forkpty sysconf pread pwrite uname killpg getpgid getpgrp "
            "tcgetpgrp setsid getuid geteuid getgid waitid P_ALL WEXITED WNOWAIT WNOHANG WUNTRACED "
            "WIFSTOPPED WSTOPSIG wait3 wait4 sched_getaffinity getloadavg fchmod chown mkfifo statvfs"
        ),
        signal: (
            "SIGHUP SIGQUIT SIGUSR1 SIGUSR2 SIGCHLD SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGKILL SIGALRM "
            "SIGPIPE SIGWINCH pthread_sigmask setitimer alarm"
        ),
    },
    "darwin": {os: "sched_getaffinity sched_setaffinity P_PIDFD posix_fadvise"},
}
MODULES = {"win32": ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty"), "darwin": ()}
OPENING = ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat"), (os, "listdir"), (os, "readlink"))


def become(system: str, tick_ns: int = 1) -> None:
    """From here on this process is on ``system``, whose steady clock goes in steps of ``tick_ns``."""
    processes = Path(tempfile.mkdtemp()) / "processes"
    processes.symlink_to("/proc")
    psutil.PROCFS_PATH = str(processes)
    psutil.cpu_times(), psutil.virtual_memory(), psutil.Process().create_time()
    for module, names in LACKS[system].items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES[system]:
        sys.modules[name] = None
    for module, name in OPENING:
        setattr(module, name, _blind(getattr(module, name)))
    steady_ns = time.monotonic_ns
    time.monotonic_ns = lambda: steady_ns() // tick_ns * tick_ns
    sys.platform = system


def _blind(call):
    """The same, but for what the system has not."""

    def seeing_less(path, *arguments, **options):
        named = os.fspath(path) if isinstance(path, str | bytes | os.PathLike) else ""
        named = os.fsdecode(named)
        if any(named == one or named.startswith(one + "/") for one in HIDDEN):
            raise FileNotFoundError(2, "No such file or directory", named)
        return call(path, *arguments, **options)

    return seeing_less
