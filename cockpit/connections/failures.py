"""What a Kubernetes API server's refusals, and a connection's failures, are called in `cockpit.errors`."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec

from cockpit.errors import CockpitError, Conflict, Forbidden, Gone, NotFound, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.redact import told

LOGIN = "log in again (for EKS: aws sso login, or aws eks update-kubeconfig), then retry"
_HIDDEN = "the server rejected our request due to an error in our request"


class Status(msgspec.Struct, gc=False):
    """The part of a `v1/Status` that says what went wrong."""

    code: int = 0
    message: str | None = ""
    reason: str | None = ""


def rejection(status: int, body: bytes, retry_after: str | None = None) -> CockpitError:
    """The error for an HTTP status of 400 or above, with the server's cleaned message."""
    said = _said(body)
    message, reason = told(said.message or f"HTTP {status}"), told(said.reason or "", 80)
    seconds = _seconds(retry_after)
    if status == 401:
        return Unauthorized(f"credentials expired or refused by the API server: {LOGIN}")
    if status == 403:
        return Forbidden(f"not allowed: {message}")
    if status == 429 or (status == 503 and seconds is not None):
        return Throttled(f"the API server asks to wait: {message}", status=status, reason=reason, retry_after=seconds)
    if status == 409 or (status == 422 and _is_failed_test(message)):
        return Conflict(message, status=status, reason=reason)
    kinds: dict[int, type[Rejected]] = {404: NotFound, 410: Gone}
    return kinds.get(status, Rejected)(message, status=status, reason=reason)


def _said(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Status(message=body[:200].decode(errors="replace"))


def _is_failed_test(message: str) -> bool:
    # Real API servers hide the patch library's words behind one sentence, which validation errors never use.
    lowered = message.lower()
    return _HIDDEN in lowered or "test failed" in lowered or ("testing" in lowered and "failed" in lowered)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < 86_400 else None


@contextmanager
def plain_words(what: str) -> Iterator[None]:
    """Transport failures inside become Unreachable, naming `what` (for example `API server https://...`) and the cause."""
    try:
        yield
    except (httpx.TransportError, OSError, TimeoutError) as error:
        raise Unreachable(f"{what}: {cause(error)}") from error
    except (httpx.DecodingError, httpx.InvalidURL) as error:
        raise Unreachable(f"{what}: {told(str(error), 200)}") from error


def cause(error: BaseException) -> str:
    """Why a connection failed, in plain words."""
    for link in _chain(error):
        words = _words(link)
        if words:
            return words
    return told(str(error), 200) or type(error).__name__


def _words(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {told(error.verify_message or str(error), 200)}"
        case ssl.SSLWantReadError() | ssl.SSLWantWriteError():
            return ""  # how TLS over memory says "not yet": whoever lost patience with it stands further out
        case ssl.SSLEOFError():
            return "it broke off in the middle of TLS"
        case ssl.SSLError():
            return f"TLS failed: {told(error.reason or str(error), 200)}"
        case socket.gaierror():
            return "its name cannot be resolved"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError():
            return "the connection was reset"
        case httpx.ConnectTimeout():
            return "no answer to connecting in time"
        case httpx.TimeoutException() | TimeoutError():
            return "no answer in time"
        case httpx.RemoteProtocolError():
            return "it broke off in the middle of an answer"
        case httpx.ProxyError():
            return f"the proxy refused: {told(str(error), 200)}"
        case OSError() if error.strerror:
            return told(error.strerror, 200)
    return ""


def _chain(error: BaseException) -> list[BaseException]:
    # The innermost error knows the cause best: an anyio "All connection attempts failed" wraps it in a group or a context.
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        if isinstance(link, BaseExceptionGroup):
            links.extend(e for e in link.exceptions if e not in links)
        link = link.__cause__ or link.__context__
    return links[::-1]
