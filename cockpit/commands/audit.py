"""`cockpit audit`: the portability matrix of a playbook, a cluster, images, manifests and lockfiles. Read-only."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

from cockpit import __version__, settings
from cockpit.allocator import give_back
from cockpit.audit.ask import STDIN, Ask, Scope, Servers
from cockpit.audit.outputs.painting import coloured, encodable, painted
from cockpit.audit.outputs.report import Report, safe
from cockpit.audit.outputs.table import table
from cockpit.audit.recorded import remember
from cockpit.commands.audit_asking import asked, content, near, plain
from cockpit.commands.audit_progress import meter
from cockpit.commands.out import line, warn
from cockpit.errors import Exit, UsageError
from cockpit.model.audit import Audit
from cockpit.quiet import Quiet
from cockpit.redact import without_known
from cockpit.rules.portability.gate import Colour
from cockpit.text import clean

WIDTH = 110
"""Of the table where there is no terminal."""
_VERSION = "/version"


def run(options: argparse.Namespace) -> int:
    """0: green, or waived where that is accepted; 1: something is red, or could not be looked at."""
    give_back()
    with Quiet():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    clock = settings.clock()
    ask, stdin = asked(options, clock.now().date())
    audit, cluster = asyncio.run(_audited(ask, stdin, options.context))
    playbook = ask.playbook
    if playbook and plain(options):
        remember(playbook, cluster, audit, clock.now())
    files = [_name(path) for path in (*ask.manifests, *ask.lockfiles)]
    report = Report(
        audit=safe(audit),
        time=clock.now(),
        arch=ask.arch,
        version=__version__,
        require=playbook.portability.require if playbook else "off",
        playbook=playbook.name if playbook else "",
        source=_name(near(Path(playbook.source))) if playbook else "",
        cluster=cluster,
        files=tuple(dict.fromkeys(files)),
        texts=_texts(ask) if options.sarif else {},
    )
    _put(report, options)
    return Exit.ENDED if report.colour is Colour.RED else Exit.OK


async def _audited(ask: Ask, stdin: bytes, context: str | None) -> tuple[Audit, str]:
    """The audit, and the context that was asked. Raises what the cluster's connection raises."""
    from cockpit.audit.survey import survey

    if ask.scope is Scope.NONE:
        with meter() as say:
            return await survey(ask, Servers(stdin=stdin), say), ""
    from cockpit.connections.kube import KubeClient

    kube = await KubeClient.connect(context or (ask.playbook.target.context if ask.playbook else None))
    kube.read_only = "an audit only looks"
    try:
        warn(f"cockpit: asking cluster {kube.server}")
        await kube.get(_VERSION)
        with meter() as say:
            return await survey(ask, Servers(kube=kube, stdin=stdin), say), kube.context
    finally:
        await kube.aclose()


def _put(report: Report, options: argparse.Namespace) -> None:
    """On stdout; with --output in that file, and one line on stdout."""
    if not options.output:
        for text in _lines(report, options) or _table(report):
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        return
    rows = _lines(report, options) or [painted(row, colour=False) for row in table(report, WIDTH)]
    try:
        Path(options.output).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"{options.output} cannot be written: {getattr(error, 'strerror', None) or error}") from None
    line(f"{report.colour.upper()}: {report.why}; written to {options.output}")


def _lines(report: Report, options: argparse.Namespace) -> list[str]:
    """The report in the form that was asked for, clean and without a known secret; empty for the table."""
    rows: list[str] = []
    if options.json:
        from cockpit.audit.outputs.document import document

        rows = [json.dumps(document(report))]
    elif options.sarif:
        from cockpit.audit.outputs.sarif import sarif

        rows = json.dumps(sarif(report), indent=2).split("\n")
    elif options.markdown:
        from cockpit.audit.outputs.markdown import markdown

        rows = list(markdown(report))
    return [clean(without_known(row), sys.maxsize) for row in rows]


def _table(report: Report) -> list[str]:
    """As wide as the terminal, in colour where it has any."""
    terminal = sys.stdout.isatty()
    cells = shutil.get_terminal_size((WIDTH, 0)).columns if terminal else WIDTH
    colour = coloured(os.environ, terminal=terminal)
    return [encodable(painted(row, colour=colour), sys.stdout.encoding) for row in table(report, cells)]


def _texts(ask: Ask) -> dict[str, str]:
    """The files to point at lines of, by their names."""
    files = [path for path in (*ask.manifests, *ask.lockfiles) if path != STDIN]
    named = {_name(path): path for path in files}
    if ask.playbook:
        path = near(Path(ask.playbook.source))
        named[_name(path)] = path
    return {name: text for name, path in named.items() if (text := content(path))}


def _name(path: Path) -> str:
    return "stdin" if path == STDIN else clean(str(path), 300)
