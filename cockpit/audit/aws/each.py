"""A verdict for each chosen resource; what cannot be learned of one leaves the others alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from cockpit.audit.aws.choosing import LONGEST, Item
from cockpit.errors import CockpitError, Throttled, Unauthorized
from cockpit.model.surfaces import Selection
from cockpit.redact import told
from cockpit.rules.portability.aws.verdict import Judged, Verdict, unknown
from cockpit.text import clean

MOST = 300
"""Resources of one surface that are looked at. More than that on one tier is a mistake in a prefix or tag."""
SAID = 400
"""Characters of what a server said."""


async def each(selection: Selection, items: Sequence[Item], judge: Callable[[Item], Awaitable[Verdict]]) -> list[Judged]:
    """`judge` for each item, at the same time; UNKNOWN with the reason where it fails, and for what is too many."""
    found = list(await asyncio.gather(*(_one(selection, item, judge) for item in items[:MOST])))
    if len(items) > MOST:
        why = f"{len(items)} resources match, of which {MOST} were looked at"
        found.append(unknown(selection.surface, "*", why, selection.owner, "name fewer: by names, a longer prefix or tags"))
    return found


UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised of an answer in another form than the API's, as that of an endpoint that is none of AWS's."""


def reason(error: Exception) -> str:
    """What an error says, for a row."""
    if isinstance(error, CockpitError):
        return told(str(error), SAID)
    return f"an answer cannot be read ({type(error).__name__}): is the endpoint AWS's?"


def remedy(error: Exception) -> str:
    """What to do about it."""
    if isinstance(error, Unauthorized):
        return "grant what playbooks/rbac/audit-policy.json lists, and audit again"
    return "audit again later" if isinstance(error, Throttled) else "audit again; look at the Region, the account and the network"


async def _one(selection: Selection, item: Item, judge: Callable[[Item], Awaitable[Verdict]]) -> Judged:
    name = clean(item.shown or item.name, LONGEST)
    try:
        return Judged(selection.surface, name, await judge(item), selection.owner, item.used_by)
    except (CockpitError, *UNREADABLE) as error:
        return unknown(selection.surface, name, reason(error), selection.owner, remedy(error))
