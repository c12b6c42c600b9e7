"""Text that many objects have in common (images, nodes, reasons): cleaned once, and one string is kept for all."""

from __future__ import annotations

from functools import lru_cache

from cockpit.text import clean

shared = lru_cache(maxsize=1 << 16)(clean)
"""`clean` that remembers."""
