"""`cockpit run`: fly a playbook against the real cluster."""

from __future__ import annotations

import argparse

from cockpit.assembly import Options, launch
from cockpit.commands.flying import headless, is_headless, playbook_path, refuse_both, show


def run(options: argparse.Namespace) -> int:
    """Fly."""
    refuse_both(options, "observe", "autopilot")
    refuse_both(options, "observe", "dry_run")
    path = playbook_path(options.playbook)
    alone = is_headless(options)
    how = Options(
        context=options.context,
        observe=options.observe,
        dry_run=options.dry_run,
        autopilot=bool(options.autopilot),
        alone=alone,
    )
    if alone:
        return headless(lambda say: launch(path, how, say), options)
    return show(lambda say: launch(path, how, say), path.stem, options.playbook, options.context)
