"""What was needed for a moment goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = 1 << 20
BLOCKS = 20
WORK = f"""
import sys
if sys.argv[1] == "given back":
    from cockpit.allocator import give_back
    assert give_back()
once = b"x" * {BLOCK}
once = None  # glibc takes note
large, small = [], []
for number in range({BLOCKS}):
    large.append(b"x" * ({BLOCK} - number))
    small.append(b"x" * 60_000)  # too large for a gap that is there already
large.clear()
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


def resident(how: str) -> int:
    """Bytes that a process holds after large blocks were freed and the small ones between them were not."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WORK, how], capture_output=True, text=True, check=True, cwd=root, timeout=60)
    return int(done.stdout) << 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only of glibc is this known")
def test_large_blocks_are_given_back_though_small_ones_stay() -> None:
    assert resident("kept") - resident("given back") > BLOCK * BLOCKS * 3 // 4
