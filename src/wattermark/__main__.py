"""``python -m wattermark``."""

import sys

from wattermark.cli.main import script

sys.exit(script())
