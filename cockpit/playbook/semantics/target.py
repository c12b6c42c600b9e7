"""The playbook's name, target, agents and rollback order."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook.issue import listed, quoted, show
from cockpit.playbook.view import Finding, View

_LEVERS = ("weights", "affinity")
_TAKEN = "-approval"
"""Two playbooks would share one object in the cluster (`controls.api.Place.approval`)."""


def target(root: View) -> Iterator[Finding]:
    """The name is free; architectures and workloads differ; agents are listed once; a rollback gives back all that is moved."""
    name = root.get("metadata", "name")
    if name.text and name.text.endswith(_TAKEN):
        other = name.text.removesuffix(_TAKEN)
        what = f"this ends in {_TAKEN}, as the object in the cluster does that keeps the second person's word of {other}"
        yield name.wrong(what, "choose a name with another ending")
    part = root.get("target")
    source, goal = part.get("from").text or "amd64", part.get("to").text or "arm64"
    if part.there and source == goal:
        key = "to" if part.has("to") else "from"
        yield part.get(key).wrong(f"from and to are both {quoted(goal)[1:-1]}", "write the other architecture for one of them")
    baseline, canary = (part.get("workloads", role) for role in ("baseline", "canary"))
    if canary.text and canary.text == baseline.text:
        yield canary.wrong("baseline and canary are the same workload", "name the other one, or leave canary out")
    yield from repeated([agent.get("daemonset") for agent in root.get("agents").items], "list each agent once")
    yield from _rollback(root)


def repeated(views: list[View], right: str) -> Iterator[Finding]:
    """A finding for every text that was there before."""
    first: dict[str, View] = {}
    for view in views:
        if view.text is not None and first.setdefault(view.text, view) is not view:
            yield view.wrong(f"{quoted(view.text)} is already {show(first[view.text].path)}", right)


def _rollback(root: View) -> Iterator[Finding]:
    order = root.get("rollback", "order")
    yield from repeated(list(order.items), "list each lever once")
    listed_levers = {item.text for item in order.items}
    for lever in _LEVERS if order.items else ():
        users = [phase for phase in root.get("phases").items if phase.get("set", lever).there]
        if users and lever not in listed_levers:
            what = f"{show(users[0].path)} moves {lever}, and no rollback would give it back"
            yield order.wrong(what, f"write the order of {listed(_LEVERS, 'and')}")
