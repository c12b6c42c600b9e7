from __future__ import annotations

import pytest

from cockpit.commands.diagnose import INDENT, Shape, report
from tests.screens.test_matrix import CASES, frame

NAMES = sorted(case.name for case in CASES.values() if case.expected)


def told(shape: Shape, name: str = NAMES[0]) -> list[str]:
    return list(report(frame(name), shape))


@pytest.mark.parametrize("name", NAMES)
def test_all_but_commands_and_digests_fits_the_terminal(name: str) -> None:
    """Neither is ever broken: they are there to be pasted."""
    rows = [row for row in told(Shape(80, "pay.yaml"), name) if not row.startswith(("  run", "  fix by", "  1st by"))]
    assert [row for row in rows if len(row) > 80 and max(map(len, row.split())) <= 80 - INDENT - 1] == []


def test_what_was_not_found_is_one_line_unless_all_is_asked_for() -> None:
    short, whole = told(Shape(80, "pay.yaml")), told(Shape(80, "pay.yaml", every=True))
    counts = [row for row in short if row.startswith("· not found: ")]
    assert len(counts) == 1
    assert counts[0].endswith("(--all lists them)")
    listed = whole[whole.index("· not found:") + 1 :]
    assert len(listed) >= int(counts[0].removeprefix("· not found: ").split()[0])
    assert len(whole) > len(short)


def test_the_way_back_names_the_playbook() -> None:
    rows = "\n".join(told(Shape(200, "pay.yaml")))
    assert "cockpit rollback pay.yaml" in rows
    assert "cockpit rollback)" not in rows
