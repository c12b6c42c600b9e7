"""Versions of Python packages in their order. Source: PEP 440, "Summary of permitted suffixes and relative ordering"."""

from __future__ import annotations

import re
from typing import TypeAlias

_NUMBER = r"[0-9]{1,18}"
_SHAPE = re.compile(
    rf"v?(?:(?P<epoch>{_NUMBER})!)?(?P<release>{_NUMBER}(?:\.{_NUMBER}){{0,20}})"
    rf"(?:[-_.]?(?P<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre_n>{_NUMBER})?)?"
    rf"(?:-(?P<post_only>{_NUMBER})|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>{_NUMBER})?)?"
    rf"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>{_NUMBER})?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+){0,20}))?"
)
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_NEVER = 1 << 62
"""Greater than any number that a version can have here."""

Key: TypeAlias = tuple[int, tuple[int, ...], tuple[int, int], int, int, tuple[tuple[int, int, str], ...]]


def version_key(text: str) -> Key | None:
    """What orders versions; equal for two spellings of one version (`1.0` and `1.0.0`). None for what is no version."""
    match = _SHAPE.fullmatch(text.strip().lower()) if len(text) <= 200 else None
    if match is None:
        return None
    release = [int(part) for part in match["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    dev = int(match["dev_n"] or 0) if match["dev"] else _NEVER
    post = int(match["post_only"] or match["post_n"] or 0) if match["post_only"] or match["post"] else -1
    return int(match["epoch"] or 0), tuple(release), _pre(match, dev, post), post, dev, _local(match["local"])


def is_final(text: str) -> bool:
    """A version that installers choose by themselves: no pre-release, no development release."""
    key = version_key(text)
    return key is not None and key[2][0] == _NEVER and key[4] == _NEVER


def _pre(match: re.Match[str], dev: int, post: int) -> tuple[int, int]:
    """A pre-release comes before the release, and a development release of the release itself before both."""
    if match["pre"]:
        return _PRE[match["pre"]], int(match["pre_n"] or 0)
    return (-1, 0) if dev != _NEVER and post < 0 else (_NEVER, 0)


def _local(text: str | None) -> tuple[tuple[int, int, str], ...]:
    parts = re.split(r"[-_.]", text) if text else []
    return tuple((1, int(part), "") if part.isdigit() and len(part) <= 18 else (0, 0, part) for part in parts)
