"""The console script: sets the terminal's environment before anything of a screen is imported, then runs the command."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run `cockpit` with the process's arguments and exit with its code."""
    # Textual reads these once, at import: no animation keeps a thin SSH line quiet. A key may wait for one frame at most: at 30 a
    # second that is 33 ms; pictures change but twice a second anyhow, and while the line lags behind none is sent.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "10" if "--low-bandwidth" in sys.argv else "30")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    from cockpit.cli import run

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no UTF-8 is no reason to end
    try:
        code = run(sys.argv[1:], own_process=True)
    except Exception as error:
        from cockpit.crash import report

        sys.stderr.write(report(error) + "\n")
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
