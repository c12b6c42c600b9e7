"""A real Prometheus that scrapes one exporter every second, with a past made by its own promtool."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

import pytest
import yaml

from tests.real.exporter import Exporter
from tests.real.processes import Process, free_ports

MISSING = "no prometheus and promtool on the PATH (Debian: apt-get install prometheus)"
REQUIRED = os.environ.get("COCKPIT_REAL") == "required"
TARGET = 'instance="exporter",job="payments"'
"""The labels that a scrape adds: the made past belongs to the same series."""
STARTS_WITHIN = 30.0
GRACE = 10.0


def installed() -> bool:
    """Both programs are here."""
    return all(shutil.which(name) for name in ("prometheus", "promtool"))


class Prometheus:
    """One server with a data folder of its own. `with` stops it."""

    def __init__(self, exporter: Exporter, folder: Path) -> None:
        if not installed():
            pytest.fail(MISSING)
        self.exporter = exporter
        self.folder = folder
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def remember(self, start: float, end: float, every: float = 5.0) -> None:
        """Make a past from `start` to `end` (epoch seconds), as if it had been scraped. Before the first start only."""
        past = self.folder / "past.om"
        past.write_text(self.exporter.history(end, start, every, TARGET))
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(past), str(self.folder / "data")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        """Start it, or start it again on the same data; returns when it answers queries."""
        scrape = {
            "job_name": "payments",
            "static_configs": [{"targets": [f"127.0.0.1:{self.exporter.port}"], "labels": {"instance": "exporter"}}],
        }
        config = self.folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
        self._process = Process(
            "prometheus",
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            self.folder,
        )
        self._wait(time.monotonic() + STARTS_WITHIN)

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self._process is not None:
            self._process.stop(GRACE)
            self._process = None

    def _wait(self, deadline: float) -> None:
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):  # noqa: S310 (our own)
                    return
            except (urllib.error.URLError, OSError):
                if self._process is None or not self._process.alive or time.monotonic() > deadline:
                    pytest.fail(f"prometheus did not start: {self._process.last_words() if self._process else ''}")
                time.sleep(0.05)
