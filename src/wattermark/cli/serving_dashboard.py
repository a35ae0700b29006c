"""``wattermark serving dashboard``: a Grafana dashboard, to be imported."""

from __future__ import annotations

import argparse

from wattermark.cli.paint import print_json
from wattermark.report.dashboard import dashboard

EPILOG = """examples:
  wattermark serving dashboard > wattermark.json

In Grafana: Dashboards, New, Import, and choose the Prometheus that scrapes the proxy's /metrics.
It holds queries and words only; nothing of any request is in it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def main(args: argparse.Namespace) -> int:
    print_json(dashboard())
    return 0
