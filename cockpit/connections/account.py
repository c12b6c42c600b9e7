"""One AWS account for a whole run: a write is signed only with a key that STS has said belongs to that account.

Credentials are renewed behind the scenes (single sign-on, roles, processes), and what they are renewed to is for others to say.
An access key never changes its account. So a key that was proven once stays proven while STS does not answer; while it does, it
is asked again before a write, as an endpoint of one's own may lead elsewhere.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from cockpit.errors import CockpitError, Refused, Unreachable
from cockpit.text import clean

FRESH_SECONDS = 5.0
"""An answer this young (wall time) is not asked for again."""
SILENT_SECONDS = 60.0
"""How long (wall time) no answer is taken for none, where it can be done without, rather than to wait for it again."""
_KEY = re.compile(rb"Credential=([^/,\s]+)/")


class AccountPin:
    """Who may sign writes. Blocking: to be used in threads; safe to use from several.

    `ask` gives the account of the credentials as they are now (sts:GetCallerIdentity), `key` their access key.
    """

    def __init__(self, ask: Callable[[], str], key: Callable[[], str]) -> None:
        self._ask = ask
        self._key = key
        self._lock = threading.Lock()
        self._account = ""
        self._proven: dict[str, float] = {}
        self._hurried: set[str] = set()
        self._silent = -SILENT_SECONDS

    def pin(self, account: str) -> None:
        """From now on no write is signed with a key of another account, and none with one that nothing is known of."""
        self._account = account

    def check(self, *, way_back: bool) -> None:
        """Refused for credentials of another account; on a `way_back` for these alone, else also when it cannot be told."""
        if not self._account:
            return
        key = self._key()
        if way_back:
            self._hurried.add(key)  # at once: whoever waits for this no longer goes on without it
        with self._lock:
            if self._is_fresh(key) or (self._is_silent() and (way_back or key in self._proven)):
                return
            try:
                found = clean(self._ask(), 80)
            except CockpitError as error:
                self._unanswered(key, error, way_back=way_back)
                return
            if not found:
                self._unanswered(key, Unreachable("AWS named no account for these credentials"), way_back=way_back)
                return
            self._answered(key, found)

    def signed(self, request: Any, **_: object) -> None:
        """Look at the key that a request is signed with, right before it leaves: it may have been renewed since `check`."""
        if not self._account:
            return
        header = request.headers.get("Authorization", b"")
        match = _KEY.search(header.encode() if isinstance(header, str) else header)
        key = match.group(1).decode(errors="replace") if match else ""
        if key not in self._proven and key not in self._hurried:
            raise Refused("the AWS credentials were renewed just now; nothing was sent, as it is not known whose they are")

    def _is_fresh(self, key: str) -> bool:
        return time.monotonic() - self._proven.get(key, -FRESH_SECONDS) < FRESH_SECONDS

    def _is_silent(self) -> bool:
        return time.monotonic() - self._silent < SILENT_SECONDS

    def _unanswered(self, key: str, error: CockpitError, *, way_back: bool) -> None:
        self._silent = time.monotonic()
        if key not in self._proven and not way_back:
            raise Refused(f"nothing was sent: whether this is still account {self._account} is not known: {error}") from error

    def _answered(self, key: str, found: str) -> None:
        if found != self._account:
            self._proven.pop(key, None)
            self._hurried.discard(key)
            raise Refused(f"these credentials are of account {found} now, this run is for {self._account}; nothing was sent")
        # Asked between two renewals it may be the next key's answer: it is proven only if it still is the same one.
        if self._key() == key:
            self._proven[key] = time.monotonic()
