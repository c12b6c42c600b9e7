"""The dialog of the controls: take them, or give them to somebody who watches."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.controls import Controls
from screens import requests
from screens.dialog import Dialog
from screens.present import handover
from screens.present.controls import others, person
from screens.present.words import Line


class ControlsDialog(Dialog):
    """For the holder a choice of whom to give them to; for anybody else Enter takes, from somebody there only by their name."""

    def __init__(self, now: Controls) -> None:
        super().__init__()
        self.chosen = handover.choices(now)[0].to if now.mine else handover.NOBODY
        self.text = ""
        self._opened = (now.standing, now.epoch)

    @property
    def now(self) -> Controls:
        """What is known at this moment."""
        frame = self.cockpit.view.frame
        return frame.controls if frame else Controls()

    def head(self) -> Sequence[Line]:
        """Whose they are."""
        frame = self.cockpit.view.frame
        return handover.head(frame, self.cells) if frame else ()

    def detail(self) -> Sequence[Line]:
        """To whom they can go."""
        return handover.rows(self.now, self.chosen)

    def foot(self) -> Sequence[Line]:
        """What the keys do."""
        return handover.foot(self.now, self.chosen, self.text, self.warning)

    def typed(self, character: str) -> None:
        """One more character of the holder's name."""
        self.text = (self.text + character)[:64]
        self.warning = ""

    def erased(self) -> None:
        """One character less."""
        self.text = self.text[:-1]

    def moved(self, key: str) -> None:
        """Up and down choose."""
        ids = [choice.to for choice in handover.choices(self.now)]
        if key in ("up", "down") and ids:
            at = ids.index(self.chosen) if self.chosen in ids else 0
            self.chosen = ids[max(0, min(len(ids) - 1, at + (-1 if key == "up" else 1)))]
        super().moved(key)

    def draw(self) -> None:
        """Lay out; a warning about what Enter would have done before they changed hands is of no use any more."""
        if (self.now.standing, self.now.epoch) != self._opened:
            self.warning = ""
        super().draw()

    def confirm(self) -> None:
        """Take them, or give them away."""
        now = self.now
        if (now.standing, now.epoch) != self._opened:
            # What Enter does has changed under the finger.
            self._opened, self.text = (now.standing, now.epoch), ""
            self.chosen = handover.choices(now)[0].to if now.mine else handover.NOBODY
            self.warning = "the controls have changed hands: look again"
        elif now.mine:
            self._give(now)
        elif (asked := handover.word(now)) and self.text != asked:
            self.warning = f"{self.text or 'nothing'} was typed, {asked} is asked for"
        else:
            self.warning = self.cockpit.request(requests.take_controls, "taking the controls")

    def _give(self, now: Controls) -> None:
        if self.chosen == handover.NOBODY:
            back = "handing the controls back"
            self.warning = self.cockpit.request(lambda flight: requests.hand_over(flight, "", "nobody"), back)
            return
        to = next((w for w in others(now) if w.id == self.chosen), None)
        if to is None:
            self.warning = "that cockpit has left: choose another"
            return
        name, words = person(to), f"{person(to)} is offered the controls: you keep them until they are taken (t)"
        self.warning = self.cockpit.request(lambda flight: requests.hand_over(flight, to.id, name), words)
