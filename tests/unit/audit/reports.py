"""Audits to print: one of every mark, and any that hostile strings can make."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from cockpit.audit.outputs.report import Report, safe
from cockpit.model.arch import Arch
from cockpit.model.audit import Audit, Layer, Mark, Row
from cockpit.model.playbook import Waiver

DAY = date(2026, 11, 22)
WAIVER = Waiver("image/registry.example.com/legacy/hsm", "rebuilt, waiting for 4.2", "team-hsm", date(2026, 12, 15))
EXPIRED = Waiver("agent/security/edr", "the vendor ships it next week", "security", date(2026, 11, 1))
ROWS = (
    Row("agent/security/edr", Layer.AGENT, Mark.FIX, "no arm64 in its index", "take 7.17", "security", waiver=EXPIRED),
    Row(
        "image/registry.example.com/pay/report:2.0",
        Layer.IMAGE,
        Mark.FIX,
        "built for amd64 only",
        "build it for arm64 as well",
        "team-payments",
        ("deployment/pay/report (deploy/report.yaml:3)", "cronjob/pay/report (deploy/cron.yaml:1)"),
    ),
    Row("dependency/pypi/grpcio==1.30.0", Layer.DEPENDENCY, Mark.GATE, "no wheel", used_by=("requirements.txt:7",)),
    Row("image/registry.example.com/far:1", Layer.IMAGE, Mark.UNKNOWN, "connection refused", "ask again"),
    Row("image/registry.example.com/legacy/hsm:4", Layer.IMAGE, Mark.WAIVED, "built for amd64 only", waiver=WAIVER),
    Row("topology/cluster", Layer.TOPOLOGY, Mark.PASS, "mixed: amd64 and arm64 nodes", notes=("2 arm64 nodes",)),
)
TEXTS = {
    "deploy/report.yaml": "a\nb\nkind: Deployment\n# pay/report:1.9\nimage: registry.example.com/pay/report:2.0\n",
    "pay.yaml": "kind: Playbook\nportability:\n  waivers:\n    - component: image/registry.example.com/legacy/hsm\n",
}


def report(audit: Audit, require: str = "waived_ok", **changes: object) -> Report:
    """As the command makes it, of a playbook in `pay.yaml`."""
    files = ("deploy/report.yaml", "deploy/cron.yaml", "requirements.txt")
    given: dict[str, object] = {"playbook": "pay", "source": "pay.yaml", "cluster": "prod-eks", "files": files, "texts": TEXTS}
    time = datetime(2026, 11, 22, 2, 14, 7, 250, UTC)
    return Report(safe(audit), time, Arch.ARM64, "0.1.0", require, **(given | changes))  # type: ignore[arg-type]


def of(*marks: Mark, faults: tuple[str, ...] = ()) -> Audit:
    """An audit with the rows of these marks."""
    return Audit(tuple(row for row in ROWS if row.mark in marks), DAY, faults)


EVERYTHING = Audit(ROWS, DAY, ("Jobs of namespace pay could not be listed: forbidden",), ("a waiver is not needed",))
_NASTY = "\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e\r\n\t\x00`|*_[]()<>&#@~\\{}!:\"' 漢字é́́́́😀\u200d\ud800%"
strings = st.one_of(
    st.text(st.sampled_from(f"{_NASTY}ab/="), max_size=40),
    st.sampled_from(
        [
            "",
            " ",
            "http://evil.example.com",
            "www.example.com",
            "@everyone",
            "[a](http://b)",
            "{0}",
            "- x",
            "```",
            "a" * 300,
            "|" * 9,
        ]
    ),
    st.text(max_size=60),
)
_waivers = st.builds(Waiver, strings, strings, strings, st.dates(date(2026, 1, 1), date(2027, 1, 1)))
_lists = st.lists(strings, max_size=6).map(tuple)
_rows = st.builds(
    Row, strings, st.sampled_from(Layer), st.sampled_from(Mark), strings, strings, strings, _lists, _lists, st.none() | _waivers
)
audits = st.builds(Audit, st.lists(_rows, max_size=5).map(tuple), st.just(DAY), _lists, _lists)
