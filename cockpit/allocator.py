"""Memory that was needed for a moment is given back to the system.

The C library learns from every large block that is freed that such blocks had better be kept on its heap, and small ones that
live longer come to lie between them: after seven hours of watches that end it was 26 MB, and is 14 MB by what is done here.
It has an arena of its own for each thread, too, and boto3 has twenty of those.
"""

from __future__ import annotations

import sys

LARGE_BYTES = 64 << 10
"""From here on a block is mapped by itself, and unmapped when it is freed."""
ARENAS = 2
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
"""Parameters of mallopt(3)."""


def give_back() -> bool:
    """Have the C library keep less for later, in the whole process; False where it is not glibc, and stays as it is."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # some milliseconds, which a first frame need not wait for

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(set_option(_MMAP_THRESHOLD, LARGE_BYTES) and set_option(_ARENA_MAX, ARENAS))
