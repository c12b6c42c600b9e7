"""What a program means: everything that is well-formed and still wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from cockpit.playbook.issue import listed, quoted
from cockpit.playbook.view import Finding, View


def findings(root: View) -> list[Finding]:
    """All that does not make sense in the document. Parts of the wrong form are passed over."""
    return [*_tiers(root), *_playbooks(root), *_waivers(root)]


def after(root: View) -> dict[str, tuple[str, ...]]:
    """The tiers that each one names in `after`; without the key, the one right above it."""
    found: dict[str, tuple[str, ...]] = {}
    above = ""
    for tier in root.get("tiers").items:
        name = tier.get("name").text
        if name is None or name in found:
            continue
        named = tuple(one.text for one in tier.get("after").items if one.text)
        found[name] = named if tier.get("after").there else (above,) if above else ()
        above = name
    return found


def _tiers(root: View) -> Iterator[Finding]:
    above: list[str] = []
    every = [tier.get("name").text for tier in root.get("tiers").items]
    for tier in root.get("tiers").items:
        name = tier.get("name")
        if name.text in above:
            yield name.wrong(f"the tier {quoted(name.text)} is here twice", "give each tier a name of its own")
        if tier.get("done").there and tier.get("playbooks").items:
            yield tier.get("done").wrong(
                "a tier with playbooks is done when their runs are completed", "take `done:` out, or its playbooks"
            )
        for one in tier.get("after").items:
            if one.text is not None and one.text not in above:
                yield one.wrong(*_not_above(one.text, name.text, every, above))
        if name.text:
            above.append(name.text)


def _not_above(wanted: str, own: str | None, every: list[str | None], above: list[str]) -> tuple[str, str]:
    right = f"name a tier above it: {listed(map(quoted, above))}" if above else "write [] for none: no tier is above it"
    if wanted == own:
        return "a tier cannot come after itself", right
    if wanted in every:
        return f"{quoted(wanted)} stands below it", f"move that tier up, or {right}"
    near = difflib.get_close_matches(wanted, above, n=1)
    return f"there is no tier {quoted(wanted)}", f"did you mean {near[0]}?" if near else right


def _playbooks(root: View) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for tier in root.get("tiers").items:
        for one in tier.get("playbooks").items:
            if one.text is None:
                continue
            if one.text in seen:
                yield one.wrong(f"{quoted(one.text)} is also in {seen[one.text]}", "list each playbook once")
            seen.setdefault(one.text, tier.get("name").text or "another tier")


def _waivers(root: View) -> Iterator[Finding]:
    tiers = after(root)
    seen: set[tuple[str, str]] = set()
    for waiver in root.get("waivers").items:
        tier, before = waiver.get("tier"), waiver.get("before")
        for one in (tier, before):
            if one.text is not None and one.text not in tiers:
                near = difflib.get_close_matches(one.text, tiers, n=1)
                right = f"did you mean {near[0]}?" if near else f"the tiers are {listed(tiers, 'and') if tiers else 'missing'}"
                yield one.wrong(f"there is no tier {quoted(one.text)}", right)
        if tier.text in tiers and before.text in tiers and tier.text and before.text:
            if before.text not in _all_before(tiers, tier.text):
                yield before.wrong(
                    f"{tier.text} does not depend on {before.text}", "a waiver names a tier that it would wait for"
                )
            if (tier.text, before.text) in seen:
                yield waiver.wrong(f"{tier.text} before {before.text} is waived twice", "keep one")
            seen.add((tier.text, before.text))


def _all_before(tiers: dict[str, tuple[str, ...]], tier: str) -> set[str]:
    found, waiting = set[str](), list(tiers.get(tier, ()))
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += tiers.get(name, ())
    return found
