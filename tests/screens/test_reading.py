"""What the screen says while the first lists stream in: how far they have come, and that nothing of it is all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.arch import Arch
from cockpit.model.snapshot import Freshness, SourceName, SourceState
from cockpit.run.frame import Frame
from cockpit.run.state import RunState
from screens.present import notice
from screens.present.detail import detail_rows
from screens.present.panels import PANELS, boxed, content
from screens.present.sources import reading
from screens.present.view import View
from screens.present.words import plain, width
from tests.screens import factories as make
from tests.screens import world


def coming(read: int, expected: int | None) -> Frame:
    """Nodes stream in, nothing else has been read."""
    nodes = [world.node(Arch.AMD64, n) for n in range(read * 2 // 3)] + [world.node(Arch.ARM64, n) for n in range(read // 3)]
    sources = dict.fromkeys(SourceName, SourceState()) | {SourceName.NODES: SourceState(read=read, expected=expected)}
    return make.make(RunState("r1", stage_at=world.NOW), world.snapshot(0, nodes=nodes, pods=(), sources=sources), events=())


def panel(frame: Frame, cells: int = 56, height: int = 10) -> list[str]:
    return [plain(row) for row in content(PANELS[0], View("payments-api", frame), cells, height)]


def test_a_bar_tells_how_much_of_the_list_has_come() -> None:
    rows = panel(coming(1500, 5000))
    assert rows[0] == "nodes reading 1,500 of 5,000  ██████░░░░░░░░░░░░░░"
    assert rows[2].split()[:2] == ["amd64", "1,000…"]
    assert rows[3].split()[:2] == ["arm64", "500…"]


def test_without_a_total_there_is_a_count_and_no_bar() -> None:
    assert panel(coming(1500, None))[0] == "nodes reading 1,500  "


@pytest.mark.parametrize(("read", "expected", "bar"), [(1, 5000, "░" * 20), (4999, 5000, "█" * 19 + "░"), (5001, 5000, "█" * 20)])
def test_the_bar_is_full_only_when_everything_has_come(read: int, expected: int, bar: str) -> None:
    assert panel(coming(read, expected))[0].endswith(bar)


@pytest.mark.parametrize("cells", [50, 56, 76])
@pytest.mark.parametrize("height", [2, 10])
def test_it_fits_wherever_the_panel_does(cells: int, height: int) -> None:
    view = View("payments-api", coming(1500, 5000))
    assert all(width(row) <= cells for row in boxed(PANELS[0], view, cells, height + 2, False))
    assert any("1,500" in plain(row) for row in content(PANELS[0], view, cells, height))


def test_the_panel_the_notice_and_the_detail_say_the_same() -> None:
    frame = coming(1500, 5000)
    view = View("payments-api", frame)
    assert "nodes reading 1,500 of 5,000" in plain(boxed(PANELS[0], view, 60, 12, False)[0])
    assert "nodes reading 1,500 of 5,000" in plain(notice.notice(view, 120))
    assert any("1,000 read so far" in plain(row) for row in detail_rows(1, frame, 100))


def test_a_list_that_has_been_read_is_not_said_to_be_coming() -> None:
    assert reading(SourceState(Freshness.LIVE, 1.0, read=5000, expected=5000)) == ""
    assert reading(SourceState()) == ""
    read = replace(coming(1500, 5000), snapshot=world.snapshot(0))
    assert "reading" not in "\n".join(panel(read))
