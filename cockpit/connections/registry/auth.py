"""Who we are to a registry: challenges, tokens, Basic. No secret is ever part of an error.

Source: distribution's token authentication specification; OAuth 2 for identity tokens; RFC 9110, section 11.
"""

from __future__ import annotations

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import msgspec

from cockpit.errors import Throttled, Unauthorized, Unreachable
from cockpit.redact import know
from cockpit.text import clean

TOKEN_SECONDS = 60.0
"""How long a token lasts whose server does not say."""
EARLY_SECONDS = 10.0
LONGEST_SECONDS = 3600.0
_CHALLENGE = re.compile(r"(?i)\b(bearer|basic)\s+((?:[a-z_]+\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s,\"]+)\s*,?\s*)+)")
_PARAMETER = re.compile(r"(?i)([a-z_]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))")


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials for one registry: a name and password, or an identity token, or a bearer token as it is.

    `until` is of the machine's monotonic clock: from then on they are asked for again.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    until: float = 0.0

    def __post_init__(self) -> None:
        know(self.password, self.identity_token, self.bearer)

    @property
    def empty(self) -> bool:
        """Nobody is logged in."""
        return not (self.password or self.identity_token or self.bearer)

    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry wants: a scheme, and for bearer tokens where to get them."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = None


Send = Callable[[httpx.Request], Awaitable[tuple[int, bytes, httpx.Headers]]]
"""Sends one request, with time and size bounded."""


class Tokens:
    """The Authorization header for each repository of one registry."""

    def __init__(self, host: str, send: Send, login: Callable[[bool], Login], *, plain: bool) -> None:
        self._host = host
        self._send = send
        self._login = login
        self._plain = plain
        self._known: dict[str, tuple[str, float]] = {}

    def header(self, repository: str) -> str:
        """What was good for the repository before, else empty."""
        value, until = self._known.get(repository, ("", 0.0))
        return value if time.monotonic() < until else ""

    async def answer(self, repository: str, challenges: list[str], *, again: bool) -> str:
        """The header that a challenge asks for; with `again` credentials are looked up anew. Unauthorized."""
        found = challenge(challenges)
        login = await asyncio.to_thread(self._login, again)
        if found is None or (found.scheme == "basic" and login.empty):
            raise Unauthorized(f"registry {self._host} wants credentials: log in (docker login {self._host})")
        if found.scheme == "basic":
            value, until = login.basic(), login.until
        elif login.bearer:
            value, until = f"Bearer {login.bearer}", login.until
        else:
            value, until = await self._token(found, repository, login)
        self._known[repository] = value, until
        return value

    async def _token(self, found: Challenge, repository: str, login: Login) -> tuple[str, float]:
        asked = time.monotonic()
        status, body, headers = await self._send(self._request(found, repository, login))
        if status == 429:
            raise Throttled(f"registry {self._host}'s token server asks to wait", status=429, retry_after=seconds(headers))
        if status in (400, 401, 403):
            who = "anonymous readers" if login.empty else "the credentials"
            raise Unauthorized(f"registry {self._host}'s token server refuses {who}: log in (docker login {self._host})")
        given = _decoded(body) if status == 200 else _Token()
        token = given.token or given.access_token
        if not token or not token.isascii() or not token.isprintable():
            raise Unreachable(f"registry {self._host}: its token server gave no token (HTTP {status})")
        know(token)
        lasts = TOKEN_SECONDS if given.expires_in is None else given.expires_in
        return f"Bearer {token}", asked + max(0.0, min(lasts, LONGEST_SECONDS) - EARLY_SECONDS)

    def _request(self, found: Challenge, repository: str, login: Login) -> httpx.Request:
        realm = self._realm(found.realm, login)
        own = f"repository:{repository}:pull"
        # A proxying registry may know the repository by another name; whatever it asks for, no more than reading.
        scope = found.scope if found.scope.endswith(":pull") and " " not in found.scope else own
        asked = {"scope": scope} | ({"service": found.service} if found.service else {})
        if login.identity_token:
            form = {**asked, "grant_type": "refresh_token", "refresh_token": login.identity_token, "client_id": "cutover-cockpit"}
            return httpx.Request("POST", realm, data=form)
        headers = {} if login.empty else {"Authorization": login.basic()}
        return httpx.Request("GET", realm.copy_merge_params(asked), headers=headers)

    def _realm(self, text: str, login: Login) -> httpx.URL:
        realm = address(text)
        plain = realm is not None and realm.scheme == "http" and self._plain and (loopback(realm.host) or login.empty)
        if realm is None or not (realm.scheme == "https" or plain) or realm.userinfo:
            raise Unauthorized(f"registry {self._host} names a token server without https: nothing is sent there")
        return realm


def challenge(headers: list[str]) -> Challenge | None:
    """The challenge to answer: for a bearer token when there is one, else Basic; None for anything else."""
    found: dict[str, Challenge] = {}
    for scheme, text in _CHALLENGE.findall(", ".join(headers)):
        told = {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for key, quoted, plain in _PARAMETER.findall(text)}
        made = Challenge(scheme.lower(), *(told.get(key, "") for key in ("realm", "service", "scope")))
        found.setdefault(made.scheme, made)
    if "bearer" in found and found["bearer"].realm:
        return found["bearer"]
    plain_basic = any(header.strip().lower() == "basic" for header in headers)
    return found.get("basic") or (Challenge("basic") if plain_basic else None)


def seconds(headers: httpx.Headers) -> float | None:
    """What Retry-After asks for, in seconds; None when it does not, or names a date."""
    try:
        value = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return value if 0 <= value < 86_400 else None


def loopback(host: str) -> bool:
    """The host is this machine itself."""
    return host in ("localhost", "::1", "[::1]") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def address(text: str) -> httpx.URL | None:
    """A URL whose host can be read; None for what is none, or whose host is no name (a broken `xn--` one)."""
    try:
        found = httpx.URL(text)
        return found if found.host else None
    except (httpx.InvalidURL, ValueError):
        return None


def host_of(url: str) -> str:
    """The host of an address, cleaned; empty for what is none."""
    try:
        return clean(urlsplit(url).hostname or "", 200)
    except ValueError:
        return ""


def _decoded(body: bytes) -> _Token:
    try:
        return msgspec.json.decode(body, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Token()
