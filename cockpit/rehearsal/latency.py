"""Response times of a pod: a fixed service time, the wait in front of its workers (M/M/c), and a cold start."""

from __future__ import annotations

import math

WORKERS = 12
SERVICE_MEAN = 0.045
SERVICE_P99 = 0.115
"""Seconds of work for the mean and the 99th-percentile request."""
COLD_SECONDS = 30.0
COLD_EXTRA = 0.12
"""A pod is slower by this factor when it has just become ready, and by nothing this many virtual seconds later."""
TIMEOUT = 10.0
CAPACITY = WORKERS / SERVICE_MEAN
"""Requests per second that one pod can serve."""


def waiting_probability(load: float) -> float:
    """Erlang's C formula: the share of requests that find all workers busy, at `load` erlangs below WORKERS."""
    term, total = 1.0, 1.0
    for k in range(1, WORKERS):
        term *= load / k
        total += term
    last = term * load / WORKERS * WORKERS / (WORKERS - load)
    return last / (total + last)


def p99(rate: float) -> float:
    """The 99th percentile in seconds of a warm pod that gets `rate` requests per second.

    The tail of the wait in M/M/c is C * exp(-(capacity - rate) * t); ln(1 + C / 0.01) keeps it smooth where C is below 1%.
    """
    used = min(rate, 0.985 * CAPACITY)
    wait = math.log1p(waiting_probability(used * SERVICE_MEAN) / 0.01) / (CAPACITY - used)
    overload = max(0.0, rate / CAPACITY - 1.0)
    return min(TIMEOUT, SERVICE_P99 + wait + 20.0 * overload)


def refused(rate: float) -> float:
    """The share of requests, 0 to 1, that a pod cannot serve at all."""
    return max(0.0, 1.0 - CAPACITY / rate) if rate > CAPACITY else 0.0


def cold_factor(age: float) -> float:
    """How much slower a pod is that became ready `age` virtual seconds ago."""
    return 1.0 + COLD_EXTRA * max(0.0, 1.0 - max(0.0, age) / COLD_SECONDS)
