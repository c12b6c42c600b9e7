"""Rollback readiness: could everything go back to the x86 path right now, how long would it take, what is lost meanwhile?

Red blocks promote, never rollback. Pure.
"""

from __future__ import annotations

from cockpit.rules.readiness.eta import NO_RATES, ROLL_SECONDS, WEIGHTS_SECONDS
from cockpit.rules.readiness.judge import GATE, Readiness, readiness, timed
from cockpit.rules.readiness.returning import returning

__all__ = ["GATE", "NO_RATES", "ROLL_SECONDS", "WEIGHTS_SECONDS", "Readiness", "readiness", "returning", "timed"]
