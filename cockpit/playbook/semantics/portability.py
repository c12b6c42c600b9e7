"""The portability gate: waivers that name a row, say why, and are there once."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.audit import Layer
from cockpit.playbook.issue import listed, quoted
from cockpit.playbook.semantics.target import repeated
from cockpit.playbook.view import Finding, View


def portability(root: View) -> Iterator[Finding]:
    """Checks of `portability`. That a waiver has expired is no fault of the file: the audit counts it as red."""
    waivers = root.get("portability", "waivers").items
    for waiver in waivers:
        yield from _component(waiver.get("component"))
        yield from _blank(waiver.get("reason"), "say why it may wait: what is awaited, and from whom")
        yield from _blank(waiver.get("owner"), "name the team or person who answers for it")
    yield from repeated([waiver.get("component") for waiver in waivers], "write one waiver for each component")


def _component(component: View) -> Iterator[Finding]:
    text = component.text
    if not text:
        return
    layer, _, name = text.partition("/")
    if layer not in list(Layer) or not name.strip():
        right = f"copy it from `cockpit audit`: {listed([f'{layer}/...' for layer in Layer])}"
        yield component.wrong(f"{quoted(text)} names no row of the portability matrix", right)
    elif text != text.strip():
        yield component.wrong(f"{quoted(text)} begins or ends with a space, as no component does", "remove it")


def _blank(value: View, right: str) -> Iterator[Finding]:
    if value.text and not value.text.strip():
        yield value.wrong("this is blank", right)
