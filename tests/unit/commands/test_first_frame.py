"""What is imported when: the first frame waits for nothing that is heavy."""

from __future__ import annotations

import subprocess
import sys

HELP = ("asyncio", "textual", "pydantic", "kubernetes", "boto3", "httpx", "aiohttp", "msgspec", "yaml", "cockpit.assembly")
BEFORE_THE_SCREEN = (
    "pydantic",
    "kubernetes",
    "boto3",
    "botocore",
    "httpx",
    "aiohttp",
    "moto",
    "yaml",
)
"""What may not be imported before the screen."""


def imported(code: str) -> set[str]:
    """The modules that are there after running this."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


SHOW = """
import sys, threading
def seen(self):
    print(*sys.modules)
    sys.stdout.flush()
    import os
    os._exit(0)
class Screens:
    def find_spec(self, name, path, target=None):
        if name.startswith("screens"):
            seen(self)
sys.meta_path.insert(0, Screens())
from cockpit.commands import fly, flying
async def launch(say):
    return None
flying.show(launch, "payments-api", "rehearsal")
"""


def test_what_is_heavy_does_not_come_before_the_screen() -> None:
    there = imported(SHOW)
    assert "cockpit.assembly" in there
    assert there & set(BEFORE_THE_SCREEN) == set()


def test_the_help_imports_nothing_that_takes_time() -> None:
    code = "import sys\nfrom cockpit.cli import build\nbuild().format_help()\nprint(*sys.modules)"
    assert imported(code) & set(HELP) == set()
