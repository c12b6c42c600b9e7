"""Secrets taken out of text: those that this process was given, and whatever looks like one.

Whoever reads a credential says so by `know`; whoever shows, writes or sends on a text that others had a hand in asks `redact`,
since a server may quote the request's own headers in its refusal.
"""

from __future__ import annotations

import json
import os
import re
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from urllib.parse import quote, quote_plus, unquote, urlsplit

from cockpit.model.json import Json
from cockpit.text import LIMIT, clean

HIDDEN = "<redacted>"
SHORTEST = 6
"""A shorter secret is none: hiding it would tear words that have nothing to do with it."""
_WORD = re.compile(r"[a-z]{1,11}")
"""A plain word (`testing`, `rehearsal`) is no secret either: hiding it would hide what people read."""
_HEAD = 12
_PIECE = 8
"""The least that is left of a secret's inner base64 for it to be looked for."""

_SECRET_NAME = re.compile(r"(?i)(secret|token|passw(or)?d|passphrase|api_?key|access_?key|credential|private_?key)")
_NO_SECRET_NAME = re.compile(r"(?i)_(file|path|dir|url|uri|credentials|type|endpoint)$")
_NAMED = r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|signature|credentials?|client[_-]?key-data)"
_HEADERS = r"(?:proxy-)?authorization|x-amz-security-token|(?:set-)?cookie|x-api-key|private-token|x-vault-token"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(rf"(?i)\b({_HEADERS})([\"']?\s*[:=]\s*+[\"'\[]*+)(?!{HIDDEN})[^\"'\r\n\]]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic|negotiate)(\s+)(?=\S*[0-9=]|\S{24})[A-Za-z0-9._~+/=|:-]{8,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bk8s-aws-v1\.[A-Za-z0-9_-]+|\bgh[pousr]_[A-Za-z0-9]{20,}"), HIDDEN),
    (re.compile(rf"(?i)\b({_NAMED})(=[\"']?)[^\s\"'&,;<]+"), rf"\1\2{HIDDEN}"),
    (re.compile(rf"(?i)([\"']{_NAMED}[\"'])(\s*:\s*[\"'])[^\"']+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://)[^/\s@\"'<>]+@"), rf"\1{HIDDEN}@"),
)


class _Known:
    """Every form of every secret, the longest first."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._lock = Lock()
        self.ordered: tuple[str, ...] = ()
        self.heads: tuple[tuple[str, str], ...] = ()
        """The beginning of each long secret, with the whole: whoever quotes one may have cut it off."""

    def add(self, secret: str) -> None:
        """Look for this one from now on. Safe to call from several threads, and cheap for what is known."""
        secret = secret.strip()
        if len(secret) < SHORTEST or secret in self._told or _WORD.fullmatch(secret):
            return
        with self._lock:
            self._told |= {secret}
            self._forms |= set(_forms(secret))
            self.ordered = tuple(sorted(self._forms, key=len, reverse=True))
            self.heads = tuple((one[:_HEAD], one) for one in self._told if len(one) > _HEAD + _PIECE)


_known = _Known()


def know(*secrets: str | None) -> None:
    """Say that these are secrets: no text of this process may hold them, nor their base64, URL or JSON forms."""
    for secret in secrets:
        if secret:
            _known.add(secret)


def know_key(text: str | None) -> None:
    """`know` of a private key: each line of its PEM body."""
    for row in (text or "").splitlines():
        if len(row) >= 2 * _PIECE and not row.startswith("-----"):
            know(row)


def know_url(url: str | None) -> None:
    """`know` of the name and password in an address."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return
    know(parts.password, unquote(parts.password) if parts.password else None)
    if parts.username and not parts.password:
        know(parts.username)  # a token alone, as some servers want it


def know_environment(environ: Mapping[str, str] = os.environ) -> None:
    """`know` of every variable whose name says that it is a secret, and of the proxies' passwords."""
    for name, value in environ.items():
        know_named(name, value)
        if name.lower().endswith("_proxy"):
            know_url(value)


def know_named(name: str, value: str) -> None:
    """`know` of a variable's value if its name says that it is a secret."""
    if _SECRET_NAME.search(name) and not _NO_SECRET_NAME.search(name):
        know(value)


def without_known(text: str) -> str:
    """`text` without the secrets that are known; JSON stays JSON."""
    for form in _known.ordered:
        if form in text:
            text = text.replace(form, HIDDEN)
    for head, whole in _known.heads:
        while (at := text.find(head)) >= 0:
            text = f"{text[:at]}{HIDDEN}{text[at + _alike(text[at:], whole) :]}"
    return text


def _alike(text: str, whole: str) -> int:
    """How many characters at the beginning of both are the same."""
    pairs = zip(text, whole, strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), min(len(text), len(whole)))


def redact(text: str) -> str:
    """`text` without the secrets that are known and without what looks like one."""
    text = without_known(text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def told(text: str, limit: int = LIMIT) -> str:
    """Words of others for people: redacted, then cleaned and cut, so that no half of a secret is left over."""
    return clean(redact(text), limit)


def shown(text: str) -> str:
    """A message of several lines for a terminal: redacted, and each line cleaned, at any length."""
    return "\n".join(clean(row, sys.maxsize) for row in redact(text).split("\n"))


def redact_json(value: Json) -> Json:
    """The same value without secrets in its texts; keys are ours and stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redact_json(one) for key, one in value.items()}
    return [redact_json(one) for one in value] if isinstance(value, list) else value


def _forms(secret: str) -> Iterator[str]:
    data = secret.encode(errors="surrogateescape")
    yield secret
    yield from {quote(data, safe=""), quote(data), quote_plus(data), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    for offset in range(3):
        yield from _inner(data, offset)


def _inner(data: bytes, offset: int) -> Iterable[str]:
    """What `data` is in base64 wherever it stands in a longer text: the characters that its neighbours do not change."""
    skip, size = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
    whole = b"\0" * offset + data
    found = {encode(whole).decode()[skip:size] for encode in (b64encode, urlsafe_b64encode)}
    return (piece for piece in found if len(piece) >= _PIECE)
