"""Spares every request four searches through all folders of Python's path.

httpcore imports `sniffio` several times in each request, and Python remembers what it found, but not what it did not find.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import cast

_OPTIONAL = "sniffio"


def spare() -> None:
    """Let an import of what is not installed fail at once. What is installed, or is imported already, stays as it is."""
    if _OPTIONAL not in sys.modules and find_spec(_OPTIONAL) is None:
        cast("dict[str, None]", sys.modules)[_OPTIONAL] = None
