"""What nobody foresaw: one line for the person, and a dump in the state folder that holds no secret and no local variable."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType

from cockpit import __version__, private
from cockpit.redact import shown, told
from cockpit.settings import home

FOLDER = "crashes"
KEPT = 20
"""Dumps that are kept, the newest."""


def report(error: BaseException) -> str:
    """Keep a dump of the error; the line that says so. Never raises: where no dump can be kept the line says that."""
    words = told(f"{type(error).__name__}: {error}", 300)
    try:
        where = f"what happened is in {_keep(error)}"
    except Exception as failed:  # a full disk, no home: the line is what is left
        where = f"no dump could be kept ({type(failed).__name__})"
    after = "what was written stays written (cockpit status shows where the run stands)"
    return shown(f"cockpit: internal error ({words}); {where}; {after}")


def guard() -> None:
    """Send what ends nowhere else (threads, forgotten tasks, libraries' log) through here, and the process's own end.

    Python's warnings are for who works on a program: they are not said, unless the interpreter was asked for them (`-W`).
    """
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    sys.unraisablehook = lambda args: _say(args.exc_value) if args.exc_value else None
    logging.getLogger().addHandler(_Lines(logging.WARNING))
    if not sys.warnoptions:
        # No filter: a library's thread that leaves `catch_warnings` puts back filters that were there before ours.
        logging.captureWarnings(capture=True)
        logging.getLogger("py.warnings").propagate = False


class _Lines(logging.Handler):
    """Log records as one safe line each on stderr; a traceback goes into a dump."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            error = record.exc_info[1] if record.exc_info else None
            first = record.getMessage().partition("\n")[0]
            sys.stderr.write(shown(f"cockpit: {record.name}: {first}") + "\n")
            if error is not None:
                _say(error)
        except Exception:  # a log line is worth no crash
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Say nothing: the words of a record that cannot be said are not known to be safe."""


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:  # noqa: ARG001 (a hook's shape)
    _say(error)


def _say(error: BaseException) -> None:
    sys.stderr.write(report(error) + "\n")


def _keep(error: BaseException) -> str:
    now = datetime.now(UTC)
    folder = private.folder(home() / FOLDER)
    path = folder / f"{now:%Y%m%dT%H%M%S%fZ}.txt"
    machine = os.uname()
    head = f"cockpit {__version__}, Python {sys.version.split()[0]}, {machine.sysname} {machine.machine}, {now.isoformat()}"
    # Never with local variables: they hold whatever was being worked on. An exception's own words may as well: they are redacted.
    trace = "".join(traceback.format_exception(error))
    private.write(path, f"{head}\n\n{shown(trace)}\n")
    for old in sorted(folder.glob("*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return str(path)
