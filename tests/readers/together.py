"""What tests of several readers share: a run that they meter together, and rows for a made library."""

import time

import wattermark as wm
from wattermark.readers.choose import choose


def metered(openers, ledger, between=lambda: None):
    """The footprint of a short run; ``between`` is called in the middle of it."""
    readers = choose(openers).readers
    with wm.track(readers=readers, ledger=ledger, interval=0.02, scope="machine") as run:
        time.sleep(0.1)
        between()
        time.sleep(0.1)
    return run.footprint()


def gpus(footprint):
    """The GPUs of a footprint, by what follows ``gpu/``."""
    return {one.name.removeprefix("gpu/"): one for one in footprint.components if one.kind == "gpu"}


def rows_of(library, spec, variable, monkeypatch):
    """What sets the channels of a made library by rows, and answers its name, as that of both libraries."""
    monkeypatch.setenv(variable, str(spec))

    def set_to(*rows):
        spec.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
        return str(library), str(library)

    return set_to
