"""Which accelerators a program may see, by the environment's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

ROUNDING = 1e-9


def each_named(told: str, named: Callable[[str], T | None]) -> Iterator[T]:
    """What the entries of a list name, commas between; as for drivers, it ends at the first that names none.

    Parameters
    ----------
    told : str
        What the environment says.
    named : callable
        From an entry to what it names.
    """
    for entry in told.split(","):
        found = named(entry.strip())
        if found is None:
            return
        yield found


def listed(names: Sequence[str], told: str | None) -> list[int]:
    """Which devices a list names, by index or by name, each once; it ends at the first entry that names none.

    Parameters
    ----------
    names : sequence of str
        Of all devices, in their order; empty where one has no name.
    told : str or None
        What the environment says, commas between; None is all.

    Examples
    --------
    >>> listed(["a", "b", "c"], "c, 0, 7, 1")
    [2, 0]
    """
    if told is None:
        return list(range(len(names)))
    named = each_named(told, lambda entry: _named(names, entry) or None)
    return list(dict.fromkeys(i for some in named for i in some))


def rocm_listed(names: Sequence[str], environ: Mapping[str, str]) -> list[int]:
    """AMD GPUs that a program may see: ``ROCR_VISIBLE_DEVICES`` and, of these, HIP's or CUDA's list.

    Parameters
    ----------
    names : sequence of str
        ``GPU-<unique id>`` of all, in the order of the PCI bus.
    environ : mapping of str to str
        The environment.

    References
    ----------
    .. [1] ROCm documentation, "GPU isolation techniques".
    """
    seen = listed(names, environ.get("ROCR_VISIBLE_DEVICES"))
    by_hip = environ.get("HIP_VISIBLE_DEVICES", environ.get("CUDA_VISIBLE_DEVICES"))
    return [seen[i] for i in listed([names[i] for i in seen], by_hip)]


def slices(owners: Sequence[int], chosen: Sequence[int]) -> dict[int, dict[str, float]]:
    """Which parts of each card were chosen, by their number among all, and how much of it each is.

    Parameters
    ----------
    owners : sequence of int
        The card of each part.
    chosen : sequence of int
        Which parts.
    """
    found: dict[int, dict[str, float]] = {}
    for part in chosen:
        found.setdefault(owners[part], {})[str(part)] = 1 / owners.count(owners[part])
    return found


def share_of(held: Mapping[str, float]) -> float:
    """How much of a card its slices are; all of it where they are but for rounding.

    Parameters
    ----------
    held : mapping of str to float
        By name.
    """
    share = sum(held.values())
    return share if share < 1 - ROUNDING else 1.0


def say_share(share: float, what: str) -> str:
    """What is to be said of a device of which only a part is ours; nothing of a whole one.

    Parameters
    ----------
    share : float
        Of its energy that is taken. [1]
    what : str
        What the part is called.
    """
    return f"{what}: {share:.0%} of the GPU's energy is taken" if share < 1 else ""


def _named(names: Sequence[str], entry: str) -> list[int]:
    if entry.isascii() and entry.isdecimal():
        return [int(entry)] if int(entry) < len(names) else []
    return [i for i, name in enumerate(names) if entry and name == entry]
