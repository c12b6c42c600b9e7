"""Connections to servers. httpx comes without its command line, which would bring click and pygments: a tenth of a start."""

from __future__ import annotations

import sys
from typing import cast

if "httpx" not in sys.modules:
    # Where it cannot be imported httpx does without it.
    cast("dict[str, None]", sys.modules).setdefault("httpx._main", None)
