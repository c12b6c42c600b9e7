"""How far back one sample of a query looks."""

from __future__ import annotations

import re
from functools import lru_cache

_RANGE = re.compile(r"\[\s*([0-9][0-9a-z]*)\s*(?:[\]:])")
_RECORDED = re.compile(r"(?:rate|increase|_over_time|irate|delta)_?([0-9]+(?:ms|[smhd]))(?![A-Za-z0-9])")
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')


@lru_cache(maxsize=256)
def window(query: str) -> float:
    """Seconds of the longest range that a query averages over, 0 when it shows none.

    A recorded series says it in its name, as Prometheus advises: `job:http_requests:rate5m`.
    """
    bare = _STRING.sub("", query)
    return max((_seconds(text) for pattern in (_RANGE, _RECORDED) for text in pattern.findall(bare)), default=0.0)


def _seconds(duration: str) -> float:
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(duration))
