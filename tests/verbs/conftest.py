"""What tests of SLURM share: one that runs."""

import shutil
import tempfile
from pathlib import Path

import pytest

from fakes.slurm import NoSlurm, slurm


@pytest.fixture(scope="session")
def cluster():
    """A real SLURM, started once, in a folder that other users may enter, as nodes have it."""
    folder = Path(tempfile.mkdtemp(prefix="wattermark-slurm-"))
    folder.chmod(0o755)
    try:
        with slurm(folder / "cluster") as one:
            yield one
    except NoSlurm as missing:
        pytest.skip(str(missing))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
