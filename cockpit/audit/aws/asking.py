"""AWS asked from the audit: clients made when first used, whole lists in pages, patience when it is throttled.

boto3 runs in a bounded pool of threads of its own. Its own retries are off: waiting happens on the injected clock.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from cockpit.audit.aws.operations import WHO, Operation
from cockpit.clock import Clock
from cockpit.connections.aws_clients import READ_SECONDS, client_settings, guarded
from cockpit.errors import NotFound, Rejected, Throttled, Unreachable
from cockpit.model.surfaces import Surfaces
from cockpit.text import clean

SessionFactory = Callable[[str], Any]
"""A boto3 session for a Region."""
THREADS = 8
ATTEMPTS = 5
"""How often a throttled call is sent in all."""
FIRST_WAIT = 1.0
"""Seconds before the second attempt; each further wait is twice as long."""
MOST_PAGES = 200
MOST_FOUND = 20_000
"""Resources of one kind that are read; an account with more of them is to be narrowed down by names."""
_ABSENT = ("NotFound", "DoesNotExist", "No such", "Unable to describe")


class Aws:
    """One Region of one account. Errors are of `cockpit.errors`. Close with `close`."""

    def __init__(self, surfaces: Surfaces, session: SessionFactory | None, clock: Clock) -> None:
        self._where = surfaces
        self._make_session = session or _session
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="audit")
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self.now = clock.now

    async def ask(self, operation: Operation, **asked: Any) -> Mapping[str, Any]:
        """One answer. Throttled after `ATTEMPTS` tries; Unauthorized names the IAM action; NotFound, Rejected, Unreachable."""
        wait = FIRST_WAIT
        for left in reversed(range(ATTEMPTS)):
            try:
                return await self._once(operation, asked)
            except Throttled:
                if not left:
                    raise
            await self._clock.sleep(wait)
            wait *= 2
        raise AssertionError("the last attempt returned or raised")

    async def everything(self, operation: Operation, key: str, **asked: Any) -> list[Any]:
        """What all pages of a list have under `key`. Rejected when there is more than `MOST_FOUND`."""
        found: list[Any] = []
        page: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            answer = await self.ask(operation, **asked, **page)
            found += answer.get(key) or []
            token = answer.get(operation.next_token) if operation.next_token else None
            if len(found) > MOST_FOUND:
                break
            if not token:
                return found
            page = {operation.token: token}
        what = f"{operation.action}: more than {MOST_FOUND} results or {MOST_PAGES} pages; name what is meant"
        raise Rejected(what, status=200, reason="too_much")

    async def account(self) -> str:
        """Whose the credentials are."""
        return clean(str((await self.ask(WHO)).get("Account", "")), 80)

    def close(self) -> None:
        """Let go of connections and threads; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    async def _once(self, operation: Operation, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        where = self._where.endpoint_url or f"{operation.client} in {self._where.region}"
        work = partial(guarded, operation.action, where, partial(self._send, operation, asked))
        answer = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        if not isinstance(answer, Mapping):
            raise Unreachable(f"AWS at {where}: its answer to {operation.action} cannot be read")
        return answer

    def _send(self, operation: Operation, asked: Mapping[str, Any]) -> Any:
        return getattr(self._client(operation.client), operation.method)(**asked)

    def _client(self, name: str) -> Any:
        """Sessions are not safe to use from several threads; clients are."""
        from botocore.config import Config

        with self._lock:
            if name not in self._clients:
                self._session = self._session or _known(self._make_session(self._where.region))
                settings = Config(**client_settings(self._where.endpoint_url, 1, READ_SECONDS * 2))
                self._clients[name] = self._session.client(
                    name, region_name=self._where.region, endpoint_url=self._where.endpoint_url, config=settings
                )
            return self._clients[name]


def absent(error: Exception) -> bool:
    """Whether an error says that what was asked for does not exist, in any service's words."""
    if isinstance(error, NotFound):
        return True
    return isinstance(error, Rejected) and any(word in error.reason or word in str(error) for word in _ABSENT)


def _session(region: str) -> Any:
    import boto3

    return boto3.Session(region_name=region)


def _known(session: Any) -> Any:
    """The session, its secrets told to whoever hides them. NoCredentialsError without any."""
    from botocore.exceptions import NoCredentialsError

    from cockpit.connections.aws_secrets import know_session

    if session.get_credentials() is None:
        raise NoCredentialsError
    know_session(session)
    return session
