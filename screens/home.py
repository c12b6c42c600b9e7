"""Home: the playbooks that are found, the runs under way and the board of each program. It only looks, and starts commands."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from cockpit.crash import report
from cockpit.errors import CockpitError
from cockpit.program.home import Home
from cockpit.redact import shown
from screens.present.home import Item, choices, detail, going, items, key_bar, listed
from screens.present.words import BLANK, Line, Tone, fit, line, strong
from screens.themes import NIGHT
from screens.thin import ThinApp
from screens.widgets.browse import Browse
from screens.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.timer import Timer

Look: TypeAlias = Callable[[], Awaitable[Home]]
AGAIN = 20.0
"""Wall seconds between two looks at the clusters."""
DETAIL = 7
"""Rows of what is told of the chosen playbook."""


class HomeApp(ThinApp[list[str]]):
    """`found` gives what there is on this machine, `look` the same with how everything stands, whenever it is called.

    It ends with the words of a command, or none. `again` is in wall seconds.
    """

    CSS_PATH = "cockpit.tcss"
    CSS = """
    Screen { background: $background; layout: vertical; overflow: hidden; }
    #heading { height: 2; }
    #detail { height: 8; min-height: 33%; border-top: solid $tone-rule; padding: 0 1; }
    #keys { height: 1; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("up,k", "choose(-1)", show=False, priority=True),
        Binding("down,j", "choose(1)", show=False, priority=True),
        Binding("enter", "open", show=False),
        Binding("A", "start('audit')", show=False),
        Binding("u", "look", show=False),
        Binding("q,escape,ctrl+c", "leave", show=False),
    ]

    def __init__(self, found: Look, look: Look, *, again: float = AGAIN) -> None:
        super().__init__()
        self.register_theme(NIGHT)
        self.theme = NIGHT.name
        self.failure = ""
        """Why it ended by itself, for stderr once the terminal is restored."""
        self.home = Home()
        self.chosen = 0
        self._found = found
        self._look = look
        self._again = again
        self._asking = False
        self._said = ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Heading, list, detail, keys."""
        yield Lines(id="heading")
        browse = Browse(id="list")
        browse.can_focus = False
        yield browse
        yield Lines(id="detail")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Paint first; the clusters are asked after that."""
        self.draw()
        self.call_after_refresh(self.action_look)
        self._timer = self.set_interval(self._again, self.action_look)

    async def on_event(self, event: events.Event) -> None:
        """A paste is no key that a person means."""
        if not isinstance(event, events.Paste):
            await super().on_event(event)

    def on_resize(self) -> None:
        """Everything is drawn for a width."""
        self.call_later(self.draw)

    # What is shown

    def draw(self) -> None:
        """Draw what is known."""
        cells = max(20, self.size.width - 4)
        found = listed(self.home, self.chosen, cells)
        for browse in self.query("#list").results(Browse):
            browse.lines = found.rows
            at = found.at(self.chosen)
            if not browse.scroll_offset.y <= at < browse.scroll_offset.y + browse.size.height:
                browse.scroll_to(y=max(0, at - browse.size.height // 2), animate=False)
        self._lines("heading", (self._heading(cells), BLANK))
        self._lines("detail", tuple(detail(self.item, self.home, cells, self._room())))
        self._lines("keys", (key_bar(self.size.width, asking=self._asking),))

    def _heading(self, cells: int) -> Line:
        said = self._said or going(self.home)
        return fit(line(" ", strong("Cutover Cockpit"), (f"   {said}" if said else "", Tone.CAUTION)), cells)

    def _room(self) -> int:
        """Rows of the detail."""
        return max((widget.size.height for widget in self.query("#detail")), default=0) or DETAIL

    def _lines(self, where: str, lines: tuple[Line, ...]) -> None:
        for widget in self.query(f"#{where}").results(Lines):
            widget.lines = lines

    @property
    def item(self) -> Item | None:
        """What is chosen."""
        there = items(self.home)
        return there[self.chosen] if self.chosen < len(there) else None

    # Keys

    def action_choose(self, by: int) -> None:
        """The next one up or down."""
        if isinstance(self.screen, ModalScreen):
            return
        self.chosen = max(0, min(len(items(self.home)) - 1, self.chosen + by))
        self._said = ""
        self.draw()

    def action_look(self) -> None:
        """Ask again, unless that is under way."""
        if not self._asking:
            self._asking = True
            self.draw()
            self.run_worker(self._ask(), name="look")

    async def _ask(self) -> None:
        try:
            if not self.home.entries:
                self._take(await self._found())
            self._take(await self._look())
        except CockpitError as error:
            self._said = str(error)
        finally:
            self._asking = False
            self.draw()

    def _take(self, home: Home) -> None:
        """Show another home. The list may be another one: what was chosen stays so, by its name and file."""
        kept, self.home, self._said = self.item, home, ""
        there = [(one.name, one.file) for one in items(home)]
        self.chosen = there.index((kept.name, kept.file)) if kept and (kept.name, kept.file) in there else 0
        self.draw()

    def action_open(self) -> None:
        """What can be done with the chosen playbook."""
        if self.item and self.item.file:
            self.push_screen(Choice(self.item), self._start)
        elif self.item:
            self.say(f"no playbook moves {self.item.name}: {self.item.row.step if self.item.row else ''}")

    def action_start(self, command: str) -> None:
        """End with a command on the chosen playbook."""
        self._start(command)

    def _start(self, command: str | None) -> None:
        if command and self.item and self.item.file:
            program = self.item.program if command == "run" else ""
            self.exit([command, self.item.file, *(["--program", program] if program else [])])
        elif command:
            self.say("choose a playbook first")

    def say(self, words: str) -> None:
        """Answer a key in the heading."""
        self._said = words
        self.draw()

    def action_leave(self) -> None:
        """Leave."""
        self.exit([])

    def action_help_quit(self) -> None:
        """Ctrl+c leaves as well."""
        self.exit([])

    def _fatal_error(self) -> None:
        # Textual would print a traceback with every local variable, secrets among them.
        error = self._exception or sys.exc_info()[1] or RuntimeError("unknown")
        self.failure = report(getattr(error, "error", error))
        self._close_messages_no_wait()


class Choice(ModalScreen[str]):
    """What to do with one playbook. It ends with the name of a command."""

    CSS = """
    Choice { align: center middle; background: $background 80%; }
    #choice { width: 100%; max-width: 90; height: auto; margin: 0 2; padding: 0 2; }
    #choice { border: round $tone-dim; background: $background; }
    #words { height: 7; }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar = [
        Binding("enter,r", "take('rehearse')", show=False),
        Binding("f", "fly", show=False),
        Binding("p", "take('plan')", show=False),
        Binding("A", "take('audit')", show=False),
        Binding("escape,q", "give_up", show=False),
    ]

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item

    def compose(self) -> ComposeResult:
        """A box of words."""
        with Vertical(id="choice"):
            yield Lines(id="words")

    def on_mount(self) -> None:
        """Write them."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """For another width."""
        self.call_later(self.draw)

    def draw(self) -> None:
        """The name, and a line a key."""
        for words in self.query("#words").results(Lines):
            rows: Sequence[Line] = [line(strong(self.item.name)), BLANK, *choices(self.item)]
            words.lines = tuple(fit(row, max(10, words.size.width)) for row in rows)

    def action_take(self, command: str) -> None:
        """End with a command."""
        self.dismiss(command)

    def action_fly(self) -> None:
        """Against the real cluster: only in its turn."""
        if not self.item.blocked:
            self.dismiss("run")

    def action_give_up(self) -> None:
        """End with none."""
        self.dismiss("")


def run(found: Look, look: Look) -> list[str]:
    """Show home until somebody leaves it: the words of the command they chose, none without. Why it broke goes to stderr."""
    app = HomeApp(found, look)
    chosen = app.run()
    if app.failure:
        sys.stderr.write(f"{shown(app.failure)}\n")
    return chosen or []
