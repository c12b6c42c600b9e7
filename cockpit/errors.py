"""The exception tree. Every error that a user may see is a CockpitError; its message says where, what and what would be right."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Process exit codes, a contract with scripts."""

    OK = 0
    ENDED = 1
    """Ended rolled back, held or failed."""
    USAGE = 2
    """Wrong usage or an invalid playbook."""
    REFUSED = 3
    """Preflight refused, or the cluster or account could not be reached."""
    CONTROLS = 4
    """Somebody else holds the controls."""


class CockpitError(Exception):
    """Base of all errors that are shown to a user as one plain message, never as a traceback."""

    exit_code: Exit = Exit.ENDED


class UsageError(CockpitError):
    """The command line or the settings are wrong."""

    exit_code = Exit.USAGE


class PlaybookInvalid(CockpitError):
    """A playbook has errors; `lines` holds all of them, one `file:line:col: path: what; what would be right` each."""

    exit_code = Exit.USAGE

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Refused(CockpitError):
    """Preflight says that this run must not start (wrong cluster, wrong account, a verb that is missing)."""

    exit_code = Exit.REFUSED


class Unreachable(CockpitError):
    """A server could not be reached or did not answer in time: nothing is known about what it holds."""

    exit_code = Exit.REFUSED


class Unauthorized(CockpitError):
    """The credentials are missing, expired or lack a permission; the message names the verb and the resource."""

    exit_code = Exit.REFUSED


class Forbidden(Unauthorized):
    """The server knows who asks, and does not allow them this (HTTP 403): asking again changes nothing."""


class Rejected(CockpitError):
    """A server understood a request and refused it. `status` is its HTTP status, `reason` its machine-readable word."""

    def __init__(self, message: str, *, status: int, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFound(Rejected):
    """The object asked for does not exist."""


class Conflict(Rejected):
    """Somebody else wrote in between (409), or a precondition in the request no longer held (JSON Patch `test`)."""


class Throttled(Rejected):
    """The server asks for patience; the same request may succeed later. `retry_after` is in seconds, when it said."""

    def __init__(self, message: str, *, status: int, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, status=status, reason=reason)
        self.retry_after = retry_after


class Gone(Rejected):
    """A watch or a continued list points at a version that the server no longer has (410): list again."""


class Drift(CockpitError):
    """The world is not what the plan read: somebody else wrote. Nothing was written; plan again from what is there now."""


class NotInControl(CockpitError):
    """Another cockpit has the controls, or this one has lost them. Nothing was written."""

    exit_code = Exit.CONTROLS


class Impossible(CockpitError):
    """A lever cannot do what is asked without breaking a safety rule (for example: narrowing that admits no node)."""
