"""Where a process lies among the control groups, from the text of its ``/proc/<pid>/cgroup``."""

from __future__ import annotations

UNIFIED = ""
"""The name of the one tree of version 2."""


def paths_in(text: str) -> dict[str, str]:
    """The path of each tree: of version 2 under ``UNIFIED``, of version 1 under each of its controllers.

    Parameters
    ----------
    text : str
        Lines as ``0::/a/b`` (version 2) or ``4:cpu,cpuacct:/a`` (version 1). A path that leaves what may
        be seen (``/../x``) is left out.

    References
    ----------
    .. [1] cgroups(7), "/proc/pid/cgroup".

    Examples
    --------
    >>> paths_in("3:cpu,cpuacct:/a\\n0::/b\\n")
    {'cpu': '/a', 'cpuacct': '/a', '': '/b'}
    """
    rows = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    return {
        name: path
        for _, names, path in rows
        for name in names.split(",")
        if path.startswith("/") and ".." not in path.split("/")
    }
