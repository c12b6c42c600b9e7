"""Times as kubectl shows them."""

from __future__ import annotations

from datetime import datetime


def human(seconds: float) -> str:
    """A duration in at most two units (`45s`, `3m20s`, `5h`, `2d3h`), as apimachinery's HumanDuration writes it."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    total = max(total, 0)
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(whole: int, unit: str, rest: int, small: str) -> str:
    return f"{whole}{unit}{rest}{small}" if rest else f"{whole}{unit}"


def age(stamp: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 time was, `<unknown>` without one."""
    if not stamp:
        return "<unknown>"
    return human((now - datetime.fromisoformat(stamp)).total_seconds())
