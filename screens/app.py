"""The app: keys to dialogs, screens and requests. Glue only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import ModalScreen, Screen

from cockpit.errors import Exit
from screens import requests
from screens.actions import ACTIONS, BY_ID, refusal
from screens.confirm import PromoteDialog, QuitDialog, RollbackDialog
from screens.detail import DetailScreen
from screens.dialog import Dialog
from screens.feed import TICK, Feed, Launch
from screens.hand import Hand
from screens.help import HelpScreen
from screens.log import LogScreen
from screens.main import MainScreen
from screens.matrix import MatrixScreen
from screens.plan import PlanScreen
from screens.present.keys import palette

URGENT = {a.key: a.id for a in ACTIONS if a.urgent}


class CockpitApp(Feed):
    """`launch` builds the flight once the first frame is painted; `now` replaces the arrival times of keys in tests."""

    CSS_PATH = "cockpit.tcss"
    BINDINGS: ClassVar = [
        Binding(a.key, f"perform('{a.id}')", a.label, id=a.id, show=False) for a in ACTIONS if a.id != "palette"
    ]

    def __init__(self, launch: Launch, title: str, *, now: Callable[[], float] | None = None, tick: float = TICK) -> None:
        super().__init__(launch, title, tick)
        self.hand = Hand()
        self._now = now

    def get_default_screen(self) -> Screen[None]:
        """The main screen is the ground that all others stand on."""
        return MainScreen()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Keys that nobody means, and pastes, go no further than here."""
        if isinstance(event, events.Paste):
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            if not self.hand.takes(event.key, self.moment(event)):
                return
            self.unsay()
            if urgent := URGENT.get(event.key):
                # Not by a priority binding: Textual gives printable keys to a focused input first, as in the palette.
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
        {
            "promote": lambda: self._ask(PromoteDialog(frame)) if (frame := self.view.frame) else None,
            "hold": self._hold,
            "rollback": lambda: self._ask(RollbackDialog()),
            "plan": lambda: self._look(PlanScreen()),
            "matrix": lambda: self._look(MatrixScreen()),
            "log": lambda: self._look(LogScreen()),
            "help": lambda: self._look(HelpScreen()),
            "panel": lambda: self._look(DetailScreen(int(number))),
            "quit": self._ask_quit,
            "palette": self.action_command_palette,
        }[kind]()
        return None

    async def action_quit(self) -> None:
        """Ctrl+q is q."""
        self.action_perform("quit")

    def action_help_quit(self) -> None:
        """Ctrl+c is q as well."""
        self.action_perform("quit")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 (Textual's shape)
        """The palette offers the registry's actions and nothing else."""
        return (SystemCommand(title, text, partial(self.action_perform, name)) for title, text, name in palette())

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

    def promote(self, plan_hash: str, name: str) -> str:
        """Promote by the plan that was shown; the reason when it was refused."""
        why = requests.promote(self.flight, plan_hash, name) if self.flight else "starting"
        return why or self._done(f"promoting to {name}")

    def roll_back(self) -> str:
        """Roll back; the reason when it was refused."""
        why = requests.roll_back(self.flight) if self.flight else "starting"
        return why or self._done("rolling back: every change of this run is being undone")

    def _done(self, words: str) -> str:
        self.leave_dialog()
        self.reply(words)
        return ""

    def leave(self) -> None:
        """Leave with 0 after a completed run, else 1."""
        code = Exit.OK if requests.completed(self.view.frame) else Exit.ENDED
        self.exit(int(code), return_code=int(code))


def run(launch: Launch, title: str) -> int:
    """Fly on the screen until the operator leaves; the exit code. Why launching failed goes to stderr."""
    app = CockpitApp(launch, title)
    code = app.run()
    if app.failure:
        sys.stderr.write(f"{app.failure}\n")
    return int(Exit.ENDED) if code is None else code
