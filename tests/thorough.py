"""How far to look: `make test` takes minutes; COCKPIT_THOROUGH=1, as in CI, what fits an hour; COCKPIT_FIGURES=1 everything.

COCKPIT_SEED chooses another seed for the tests that draw at random.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

FIGURES = os.environ.get("COCKPIT_FIGURES") == "1"
THOROUGH = FIGURES or os.environ.get("COCKPIT_THOROUGH") == "1"
SEED = int(os.environ.get("COCKPIT_SEED", "1"))


def either(everything: T, usual: T) -> T:
    """What a thorough run takes, or the usual one."""
    return everything if THOROUGH else usual


def figure(promised: T, everything: T, usual: T) -> T:
    """What a promised figure is measured with (`make figures`), what a thorough run takes, or the usual one."""
    return promised if FIGURES else either(everything, usual)
