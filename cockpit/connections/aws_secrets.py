"""The secrets of an AWS session, said to `cockpit.redact` as far as they are known without asking anybody."""

from __future__ import annotations

from typing import Any

from cockpit.redact import know

_TOKEN = "X-Amz-Security-Token"  # noqa: S105 (a header's name)


def know_session(session: Any) -> None:
    """Know the session's keys, and its tokens as they are sent: those that are renewed are not known before."""
    credentials = session.get_credentials()
    if credentials is not None:
        # Underscored names hold what is there; the public ones of credentials that are renewed would go and ask.
        known = [vars(credentials).get(name) or "" for name in ("_secret_key", "_token", "secret_key", "token")]
        know(*(str(one) for one in known))
    session.events.register("before-send", _sent)


def _sent(request: Any, **_: Any) -> None:
    token = request.headers.get(_TOKEN)
    know(token.decode() if isinstance(token, bytes) else token)
