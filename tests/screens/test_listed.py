"""Long lists: sorted, filtered, scrolled; what is typed as a filter reaches no action key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from textual import events
from textual.pilot import Pilot

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node, Resources
from cockpit.model.snapshot import Snapshot
from cockpit.rules.agents import AgentHealth
from cockpit.run.frame import Frame
from screens.confirm import RollbackDialog
from screens.listed import ListedScreen
from screens.main import MainScreen
from screens.present import node_detail
from screens.present.blocks import Block, Blocks
from screens.present.node_detail import NodeDetail
from screens.present.picking import Pick, Sort, position
from screens.present.words import Line, line, plain
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines
from tests.screens import factories as make
from tests.screens import world
from tests.screens.fakes import Manual, app_of

SIZE = (120, 40)


def crowd(x86: int = 300, arm: int = 200) -> Snapshot:
    """Every fiftieth arm64 node is not ready, one x86 node is nearly full, zones differ."""
    nodes = [world.node(Arch.AMD64, n, zone=f"ap-south-1{'abc'[n % 3]}") for n in range(x86)]
    nodes += [world.node(Arch.ARM64, n, ready=n % 50 != 7) for n in range(arm)]
    found = world.snapshot(25, nodes=nodes, pods=world.workload_pods(nodes))
    return replace(found, usage={**found.usage, nodes[41].name: Resources(7900, 1 << 30, 9)})


def frame(seen: Snapshot | None = None) -> Frame:
    """A soak in that crowd."""
    return make.make(make.at(1), seen or crowd())


def names(rows: Blocks, start: str = "ip-10") -> list[str]:
    return [plain(row).split()[0] for row in rows if plain(row).strip().startswith(start)]


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def open_nodes(pilot: Pilot[int]) -> ListedScreen:
    await pilot.pause()
    await press(pilot, "1")
    screen = pilot.app.screen
    assert isinstance(screen, ListedScreen)
    return screen


def said(screen: ListedScreen) -> str:
    return plain(screen.query_one("#title", Lines).lines[1])


def test_the_sick_come_first_and_every_order_sorts_by_what_it_says() -> None:
    shown, detail = frame(), NodeDetail()
    assert names(detail.rows(shown, 100))[:4] == [f"ip-10-0-2-{10 + n}" for n in (107, 157, 7, 57)]
    by_name = names(detail.rows(shown, 100, Pick(Sort.NAME)))
    assert by_name[:200] == sorted(by_name[:200]) and by_name[200:] == sorted(by_name[200:])
    assert names(detail.rows(shown, 100, Pick(Sort.CPU)))[200] == "ip-10-0-1-51"
    zones = [plain(row).split()[-1] for row in detail.rows(shown, 100, Pick(Sort.ZONE)) if plain(row).startswith("  ip-10-0-1")]
    assert zones == sorted(zones) and len(set(zones)) == 3
    rows = [plain(row) for row in detail.rows(shown, 100, Pick(Sort.PODS))]
    counts = [int(row.split("  pods ")[1].split()[0]) for row in rows if "  pods " in row]
    assert counts[:200] == sorted(counts[:200], reverse=True)


@pytest.mark.parametrize(
    ("text", "count"),
    [("arm64 not ready", 4), ("AP-SOUTH-1B", 100), ("m7g", 200), ("ip-10-0-2-60.", 1), ("payments-api-arm64", 10)],
)
def test_a_filter_wants_every_word_somewhere_in_the_row(text: str, count: int) -> None:
    rows = NodeDetail().rows(frame(), 100, Pick(text=text))
    assert (rows.shown, rows.total) == (count, 540)
    assert f"of {count:,} (filtered from 540)" in plain(position(rows, Pick(text=text), 0, 30, typing=False))


class Counted(Mapping[str, Node]):
    """The nodes of a snapshot, and how often somebody has gone through all of them."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes, self.walks = nodes, 0

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return iter(self._nodes)


def test_all_nodes_are_looked_through_once_a_change_and_rows_are_made_when_they_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    draw = node_detail._node

    def counted(of: Frame, counts: Counter[str], node: Node) -> Line:
        made.append(node.name)
        return draw(of, counts, node)

    monkeypatch.setattr(node_detail, "_node", counted)
    seen = crowd()
    nodes = Counted(seen.nodes)
    first = frame(replace(seen, nodes=nodes))
    detail, walks = NodeDetail(), nodes.walks
    for number in range(5):
        rows = detail.rows(replace(first, snapshot=replace(first.snapshot, seq=number)), 100)
        assert not made
        assert rows[10] and len(made) == 1
        made.clear()
    assert nodes.walks - walks == 2, "one counts, one sorts"
    changed = replace(first.snapshot, nodes=MappingProxyType({**seen.nodes}))
    assert detail.rows(replace(first, snapshot=changed), 100).total == 540


async def test_s_sorts_and_the_list_says_by_what_and_where_one_is() -> None:
    app, _ = app_of(frame())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_nodes(pilot)
        assert said(screen) == " by trouble first   rows 1-28 of 540"
        await press(pilot, "pagedown")
        assert said(screen).endswith("rows 29-61 of 540")
        await press(pilot, "s")
        assert said(screen) == " by name   rows 1-28 of 540"
        await press(pilot, "end")
        assert said(screen).endswith("-540 of 540")
        await press(pilot, "home")
        assert said(screen).endswith("rows 1-28 of 540")


async def test_what_is_typed_as_a_filter_is_no_key() -> None:
    app, flight = app_of(frame())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_nodes(pilot)
        await press(pilot, "slash", *"qdmlpt1", "space", "question_mark", "w", "A", "s")
        assert app.screen is screen and screen.pick.text == "qdmlpt1 ?wAs"
        assert (flight.calls, flight.keys) == ([], [])
        await press(pilot, "backspace", "escape")
        assert screen.pick.text == "" and not screen.typing and app.screen is screen
        await press(pilot, "slash", *"m7g", "enter")
        assert said(screen).startswith(" by trouble first   filter m7g (Esc clears it)   rows 1-")
        await press(pilot, "escape")
        assert screen.pick.text == "" and app.screen is screen
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)


async def test_r_and_enter_roll_back_also_while_a_filter_is_typed() -> None:
    app, flight = app_of(frame())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_nodes(pilot)
        await press(pilot, "slash", "a", "R")
        assert isinstance(app.screen, RollbackDialog)
        await press(pilot, "enter")
        assert flight.calls == [("roll_back",)]
        assert isinstance(app.screen, ListedScreen) and not screen.typing


@pytest.mark.parametrize("pause", [0.03, 0.12, 1.0])
async def test_somebody_who_types_a_word_with_a_capital_r_rolls_nothing_back(pause: float) -> None:
    clock = Manual()
    app, flight = app_of(frame(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        clock.at += 1
        screen = await open_nodes(pilot)
        clock.at += 1
        for key in ("slash", *"Ready", "enter"):
            await press(pilot, key)
            clock.at += pause
        clock.at += 1
        await press(pilot, "enter")
        assert flight.calls == []
        assert app.screen is screen
        assert screen.pick.text == "Ready"


async def test_escape_in_the_rollback_dialog_goes_back_to_the_filter() -> None:
    app, flight = app_of(frame())
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_nodes(pilot)
        await press(pilot, "slash", "a", "R", "escape", "b")
        assert screen.typing and screen.pick.text == "ab" and flight.calls == []


async def test_a_pasted_name_is_text_and_its_end_ends_nothing() -> None:
    clock = Manual()
    app, flight = app_of(frame(), now=clock)
    async with app.run_test(size=SIZE) as pilot:
        clock.at += 1
        screen = await open_nodes(pilot)
        clock.at += 1
        await press(pilot, "slash")
        clock.at += 1
        app.post_message(events.Paste("ip-10-0-2-60\n"))
        await pilot.pause()
        assert screen.pick.text == "ip-10-0-2-60"
        clock.at += 1
        await press(pilot, "x", "enter", "R", "enter", "p")  # without brackets: all at one moment
        assert screen.typing and screen.pick.text == "ip-10-0-2-60xRp"
        assert flight.calls == [] and app.screen is screen


async def test_whoever_has_scrolled_stays_on_their_row_when_rows_come_and_go() -> None:
    seen = crowd()
    app, flight = app_of(frame(seen))
    async with app.run_test(size=SIZE) as pilot:
        screen = await open_nodes(pilot)
        await press(pilot, "pagedown", "pagedown")
        browse = screen.query_one(Browse)
        before = plain(browse.lines[browse.sight[0]])
        gone = {name: node for name, node in list(seen.nodes.items())[:-20] if not name.startswith("ip-10-0-2-100")}
        more = {n.name: n for n in (world.node(Arch.ARM64, 5000 + k, ready=False) for k in range(9))}
        flight.now = frame(replace(seen, nodes={**more, **gone}))
        app.tick()
        await pilot.pause()
        await pilot.pause()
        assert plain(browse.lines[browse.sight[0]]) == before


async def test_the_agents_list_is_made_of_what_is_looked_at_and_filtered_too() -> None:
    sick = AgentHealth(world.AGENTS[1], 5000, 0, tuple((f"ip-10-0-2-{n}.internal", "no pod") for n in range(5000)))
    app, _ = app_of(replace(frame(), agents=(sick,)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await press(pilot, "4")
        screen = app.screen
        assert isinstance(screen, ListedScreen)
        assert "rows 1-31 of 5,000" in said(screen)
        await press(pilot, "slash", *"2-4999")
        assert "rows 1-1 of 1 (filtered from 5,000)" in said(screen)
        rows = screen.query_one(Browse).lines
        assert any("ip-10-0-2-4999" in plain(row) for row in rows)


def test_blocks_know_their_rows_by_key_and_find_them_again() -> None:
    blocks = Blocks(
        [Block("a", [line("head")], [3, 1, 2], lambda n: line(str(n)), lambda n: ("n", n), 9, [line()]), Block("b", [line("x")])]
    )
    assert [plain(row) for row in blocks] == ["head", "3", "1", "2", "", "x"]
    assert [blocks.find(blocks.key(n)) for n in range(len(blocks))] == list(range(len(blocks)))
    assert len({blocks.key(n) for n in range(len(blocks))}) == len(blocks)
    assert (blocks.shown, blocks.total) == (3, 9)
    assert blocks.items_in(0, 3) == (1, 2)
    assert blocks.items_in(4, 9) == (4, 3), "none in sight"
    assert blocks.key(99) is None and blocks.find(None) is None
