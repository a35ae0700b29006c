"""``python -m wattermark``."""

import sys

from wattermark.cli.main import main

sys.exit(main())
