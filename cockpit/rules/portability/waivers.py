"""The playbook's written exceptions, applied to the rows of an audit. Only what is red can be waived, and only until a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.image import parse
from cockpit.model.playbook import Waiver

_IMAGE = f"{Layer.IMAGE}/"


def apply(rows: Iterable[Row], waivers: Sequence[Waiver], today: date) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The rows with what is waived marked WAIVED, and notes on waivers that excepted nothing.

    A waiver counts through the day on which it expires. An expired one leaves its row red, and the row says so.
    """
    done, used = [], set[Waiver]()
    for row in rows:
        mine = [waiver for waiver in waivers if covers(waiver, row.component)]
        used |= set(mine) if row.mark.red else set()
        done.append(_waived(row, mine, today))
    components = {waiver: [r for r in done if covers(waiver, r.component)] for waiver in waivers if waiver not in used}
    return tuple(done), tuple(_unused(waiver, found) for waiver, found in components.items())


def covers(waiver: Waiver, component: str) -> bool:
    """The waiver names exactly this component; or an image of this repository, by a name without a tag or digest.

    One that names a tag and no digest covers that tag with any digest, too: to pin an image is no reason to ask again.
    """
    if waiver.component == component:
        return True
    if not (waiver.component.startswith(_IMAGE) and component.startswith(_IMAGE)):
        return False
    named, found = waiver.component.removeprefix(_IMAGE), component.removeprefix(_IMAGE)
    if "@" in named or ":" in named.rpartition("/")[2]:
        return _same(named, found)
    return _repository(named) == _repository(found) != ""


def _waived(row: Row, mine: Sequence[Waiver], today: date) -> Row:
    if not row.mark.red or not mine:
        return row
    # The most exact one that still counts; of those that do not, the one that did longest.
    best = max(mine, key=lambda w: (w.expires >= today, w.component == row.component, w.expires))
    if best.expires >= today:
        return replace(row, mark=Mark.WAIVED, waiver=best)
    words = f"its waiver by {best.owner} expired on {best.expires}"
    return replace(row, status=f"{row.status}; {words}" if row.status else words, waiver=best)


def _unused(waiver: Waiver, rows: Sequence[Row]) -> str:
    why = "it passes without" if rows else "there is no such component"
    return f"the waiver for {waiver.component} by {waiver.owner} is not needed: {why}"


def _repository(reference: str) -> str:
    try:
        found = parse(reference)
    except ValueError:
        return ""
    return f"{found.registry}/{found.repository}"


def _same(one: str, other: str) -> bool:
    """Two ways to write one reference: `nginx:1` is `docker.io/library/nginx:1`; `other` may be pinned where `one` is not."""
    try:
        named, found = parse(one), parse(other)
    except ValueError:
        return False
    return named == (found if named.digest else replace(found, digest=""))
