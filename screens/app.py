"""The app: keys to dialogs, screens and requests. Glue only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.screen import ModalScreen, Screen

from cockpit.errors import Exit
from cockpit.redact import shown
from screens import requests
from screens.actions import ACTIONS, BY_ID, refusal
from screens.audit import AuditScreen
from screens.confirm import QuitDialog, RollbackDialog, promoting
from screens.controls import ControlsDialog
from screens.dialog import Dialog
from screens.feed import TICK, Feed, Launch
from screens.flight import Flight
from screens.hand import Hand
from screens.help import HelpScreen
from screens.listed import ListedScreen, panel
from screens.log import LogScreen
from screens.main import MainScreen
from screens.matrix import MatrixScreen
from screens.palette import PaletteDialog
from screens.plan import PlanScreen

URGENT = {a.key: a.id for a in ACTIONS if a.urgent}


class CockpitApp(Feed):
    """`launch` builds the flight once the first frame is painted; `now` replaces the arrival times of keys in tests."""

    CSS_PATH = "cockpit.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [Binding(a.key, f"perform('{a.id}')", a.label, id=a.id, show=False) for a in ACTIONS]

    def __init__(
        self,
        launch: Launch,
        title: str,
        *,
        now: Callable[[], float] | None = None,
        tick: float = TICK,
        low_bandwidth: bool | None = None,
    ) -> None:
        super().__init__(launch, title, tick, low_bandwidth)
        self.hand = Hand()
        self._now = now

    def get_default_screen(self) -> Screen[None]:
        """The main screen is the ground that all others stand on."""
        return MainScreen()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Keys that nobody means, and pastes, go no further than here; where text is typed they are text."""
        if isinstance(event, events.Paste):
            if isinstance(self.screen, ListedScreen) and self.screen.typing:
                self.screen.typed(" ".join(event.text.split()))
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            meant = self.hand.takes(event.key, self.moment(event))
            reader = self.screen if isinstance(self.screen, ListedScreen | RollbackDialog) else None
            if reader and not (meant and event.key in URGENT) and reader.reads(event, meant=meant):
                return
            if not meant:
                return
            self.unsay()
            if urgent := URGENT.get(event.key):
                # Not by a priority binding: a dialog that is up reads every key itself.
                self.action_perform(urgent)
                return
        await super().on_event(event)

    def moment(self, event: events.Event | None = None) -> float:
        """When the event arrived, or now, in monotonic seconds."""
        return self._now() if self._now else (event or events.Event()).time

    def dialog_opened(self) -> None:
        """A dialog has been painted."""
        self.hand.dialog_opened(self.moment())

    def action_perform(self, action_id: str) -> None:
        """Do what a key or the palette asks for, or say why not."""
        action = BY_ID[action_id]
        if why := refusal(action, self.view):
            return self.reply(why)
        kind, _, number = action_id.partition("-")
        acts: dict[str, Callable[[], object]] = {
            "promote": lambda: self._ask(promoting(frame)) if (frame := self.view.frame) else None,
            "hold": self._hold,
            "rollback": lambda: self._ask(RollbackDialog(self._typing())),
            "plan": lambda: self._look(PlanScreen()),
            "matrix": lambda: self._look(MatrixScreen()),
            "audit": lambda: self._look(AuditScreen()),
            "log": lambda: self._look(LogScreen()),
            "controls": lambda: self._ask(ControlsDialog(frame.controls)) if (frame := self.view.frame) else None,
            "help": lambda: self._look(HelpScreen()),
            "panel": lambda: self._look(panel(int(number))),
            "quit": self._ask_quit,
            "pace": self.toggle_pace,
            "redraw": self.redraw,
            "palette": lambda: self._ask(PaletteDialog()),
        }
        acts[kind]()
        return None

    async def action_quit(self) -> None:
        """Ctrl+q is q."""
        self.action_perform("quit")

    def action_help_quit(self) -> None:
        """Ctrl+c is q as well."""
        self.action_perform("quit")

    # Screens

    def home(self) -> None:
        """Back to the main screen."""
        self.hand.dialog_closed()
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _look(self, screen: Screen[None]) -> None:
        self.home()
        self.push_screen(screen)

    def _ask(self, dialog: Dialog) -> None:
        if isinstance(self.screen, type(dialog)):
            return
        while isinstance(self.screen, ModalScreen):
            self.pop_screen()
        self.hand.dialog_opening()
        self.push_screen(dialog)

    def _typing(self) -> ListedScreen | None:
        """Where a filter is being typed."""
        return self.screen if isinstance(self.screen, ListedScreen) and self.screen.typing else None

    def leave_dialog(self) -> None:
        """Close the dialog that is up."""
        self.hand.dialog_closed()
        if isinstance(self.screen, ModalScreen):
            self.pop_screen()

    def _ask_quit(self) -> None:
        if requests.unfinished(self.view.frame):
            self._ask(QuitDialog())
        else:
            self.leave()

    # Requests

    def _hold(self) -> None:
        if self.flight and self.view.frame:
            self.reply(requests.hold_or_resume(self.flight, self.view.frame))

    def request(self, ask: Callable[[Flight], str], done: str) -> str:
        """Pass a request on: its dialog closes and `done` is said when it is met, else the reason why not comes back."""
        if why := ask(self.flight) if self.flight else "starting":
            return why
        self.leave_dialog()
        self.reply(done)
        return ""

    def leave(self) -> None:
        """Leave with 0 after a completed run, else 1."""
        code = Exit.OK if requests.completed(self.view.frame) else Exit.ENDED
        self.exit(int(code), return_code=int(code))


async def run(launch: Launch, title: str, low_bandwidth: bool | None = None) -> int:
    """Fly on the screen until the operator leaves; the exit code. Why launching failed goes to stderr.

    `low_bandwidth`: draw less, for a slow line; None measures it.
    """
    app = CockpitApp(launch, title, low_bandwidth=low_bandwidth)
    code = await app.run_async()
    if app.failure:
        sys.stderr.write(f"{shown(app.failure)}\n")
    return int(Exit.ENDED) if code is None else code
