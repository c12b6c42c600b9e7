"""Bringing a file to the disk in a thread of its own: a disk that stalls holds up nobody but who waits for it."""

from __future__ import annotations

import os
from concurrent.futures import Future
from threading import Lock, Thread

LAST_SECONDS = 1.0
"""How long (wall time) `close` waits for what was asked for last."""


class Syncer:
    """Calls fsync for a file, one call at a time. It has a descriptor of its own, so that the file may be closed meanwhile."""

    def __init__(self, file: int) -> None:
        self._file = os.dup(file)
        self._lock = Lock()
        self._next: Future[None] | None = None
        self._thread: Thread | None = None
        self._closed = False

    def soon(self) -> Future[None]:
        """Done once everything written so far is on the disk; OSError when the disk refuses. Safe to call from one thread."""
        with self._lock:
            if self._next is None or self._next.cancelled():
                self._next = Future()
            if self._thread is None:
                # A daemon: a process that has nothing else to do does not stay for a disk that stands still.
                self._thread = Thread(target=self._work, name="journal-sync", daemon=True)
                self._thread.start()
            return self._next

    def close(self) -> None:
        """Let go of the file, once what was asked for is done; waits for that, but not for long."""
        with self._lock:
            thread, self._closed = self._thread, True
            if thread is None and self._file >= 0:
                self._release()
        if thread:
            thread.join(LAST_SECONDS)

    def _work(self) -> None:
        while asked := self._asked():
            wanted = asked.set_running_or_notify_cancel()
            try:
                os.fsync(self._file)
            except OSError as error:
                if wanted:
                    asked.set_exception(error)
            else:
                if wanted:
                    asked.set_result(None)

    def _asked(self) -> Future[None] | None:
        with self._lock:
            asked, self._next = self._next, None
            if asked is None:
                self._thread = None
                if self._closed:
                    self._release()
            return asked

    def _release(self) -> None:
        os.close(self._file)
        self._file = -1
