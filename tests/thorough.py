"""How far to look: `make test` takes what fits a few minutes; with COCKPIT_THOROUGH=1, as in CI, everything is looked at.

COCKPIT_SEED chooses another seed for the tests that draw at random.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

THOROUGH = os.environ.get("COCKPIT_THOROUGH") == "1"
SEED = int(os.environ.get("COCKPIT_SEED", "1"))


def either(everything: T, usual: T) -> T:
    """What a thorough run takes, or the usual one."""
    return everything if THOROUGH else usual
