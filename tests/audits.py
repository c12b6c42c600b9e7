"""Small audits for tests: one row of each mark, and what a run knows of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cockpit.model.audit import Audit, Layer, Mark, Row
from cockpit.model.auditing import Auditing
from cockpit.model.playbook import Waiver

NOW = datetime(2026, 11, 22, 2, 14, 7, tzinfo=UTC)
TODAY = NOW.date()
HOST = "registry.example.com"
WAIVER = Waiver(f"image/{HOST}/payments/ledger-export:1.9.4", "stays on x86 until January", "team-ledger", date(2026, 12, 15))


def row(mark: Mark = Mark.PASS, name: str = "payments/api:1", layer: Layer = Layer.IMAGE, waiver: Waiver | None = None) -> Row:
    """A row as the audit writes it."""
    component = f"{layer}/{HOST}/{name}" if layer is Layer.IMAGE else f"{layer}/{name}"
    status = "linux/arm64 and 1 other platform" if mark is Mark.PASS else "no linux/arm64 build, only linux/amd64"
    action = "" if mark is Mark.PASS else "build and push it with --platform linux/amd64,linux/arm64 (docker buildx build)"
    used = (f"daemonset/{name.partition(':')[0]}",)
    return Row(component, layer, mark, status, action, "team-payments", used, ("not pinned by digest",), waiver)


def waived(expires: date = WAIVER.expires) -> Row:
    """A row that is excepted in writing."""
    found = Waiver(WAIVER.component, WAIVER.reason, WAIVER.owner, expires)
    return row(Mark.WAIVED, "payments/ledger-export:1.9.4", waiver=found)


SENSOR = row(Mark.FIX, "edr/sensor:7.16.2")
CLEAR = (waived(), row(), row(Mark.PASS, "security/edr-sensor", Layer.AGENT), row(Mark.PASS, "cluster", Layer.TOPOLOGY))
VETOED = (SENSOR, *CLEAR)


def audit(*rows: Row, faults: tuple[str, ...] = ()) -> Audit:
    """A finished audit of today."""
    return Audit(rows, TODAY, faults)


def audited(*rows: Row, faults: tuple[str, ...] = ()) -> Auditing:
    """What a run knows a minute and a half after it was finished."""
    return Auditing(audit(*rows, faults=faults), NOW - timedelta(seconds=90))
