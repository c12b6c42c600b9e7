"""The commands: what each takes, and where it goes. Heavy imports happen behind the command that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, TypeAlias

from cockpit import __version__
from cockpit.errors import CockpitError, Exit

DESCRIPTION = """\
A cockpit for phased x86 -> Graviton (arm64) cutovers on Kubernetes and AWS: load a playbook, watch the gates, promote,
hold or roll back by keys. Rehearse first: `cockpit rehearse` flies the same playbook on an embedded world.
"""
EPILOG = """\
exit codes: 0 completed (or nothing wrong); 1 ended rolled back, held or failed; 2 usage or an invalid playbook;
3 preflight refused or the cluster could not be reached; 4 somebody else holds the controls
"""


def run(argv: Sequence[str], *, own_process: bool = False) -> int:
    """Run one command: its exit code. Every CockpitError becomes one message on stderr.

    `own_process`: nothing else runs in this process, so that what ends nowhere else in it may be caught here.
    """
    parser = build()
    options = parser.parse_args(argv)
    try:
        _prepare(options, own_process=own_process)
        command = import_module(f"cockpit.commands.{options.module}")
        return int(command.run(options))
    except CockpitError as error:
        from cockpit.redact import shown

        print(shown(f"cockpit: {error}"), file=sys.stderr)  # noqa: T201
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("cockpit: interrupted; what was written stays written (cockpit status shows where the run stands)", file=sys.stderr)  # noqa: T201
        return int(Exit.ENDED)
    except BrokenPipeError:
        # Whoever read our lines has gone (`| head`): no further word can reach them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.ENDED)


def _prepare(options: argparse.Namespace, *, own_process: bool) -> None:
    """What no secret may pass by, and the consent to run the kubeconfig's credential plugin, before a screen is there."""
    from cockpit.redact import know_environment

    know_environment()
    if own_process:
        from cockpit.crash import guard

        guard()
    if hasattr(options, "allow_exec_plugin"):
        from cockpit.commands.consent import obtain

        obtain(options)


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line without letting what was typed act on the terminal."""

    def error(self, message: str) -> NoReturn:
        """Say it and end with 2."""
        from cockpit.redact import told

        super().error(told(message))


def build() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = Parser(prog="cockpit", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"cockpit {__version__}")
    parser.set_defaults(module="home")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in (_run, _rehearse, _serve, _validate, _plan, _audit, _rollback, _status, _diagnose, _schema):
        add(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def _command(commands: Commands, name: str, module: str, summary: str, more: str = "") -> Parser:
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{more}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module)
    return parser


PLAYBOOK = "a file, or the name of a bundled playbook (rehearsal, affinity-only, ingress)"


def _plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-exec-plugin", action="store_true", help="run the kubeconfig's credential plugin without being asked about it"
    )


def _target(parser: argparse.ArgumentParser) -> None:
    _plugin(parser)
    parser.add_argument("playbook", metavar="PLAYBOOK", help=PLAYBOOK)
    parser.add_argument("--context", metavar="NAME", help="kubeconfig context; wins over the playbook's target.context")


def _flying(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen: event lines on stdout (default without a terminal)")
    parser.add_argument("--output", choices=("json", "text"), default="json", help="event lines for machines or for people")
    parser.add_argument(
        "--low-bandwidth",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="draw once a second and without trends, for a slow line (default: as the terminal's answers are measured)",
    )
    parser.add_argument(
        "--autopilot",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="promote by itself wherever every gate passes (default: only phases with promote: auto)",
    )
    parser.add_argument(
        "--give-up-after",
        metavar="SECONDS",
        type=_positive,
        default=600.0,
        help="headless: end as held when nothing has advanced for so long (default 600)",
    )


def _run(commands: Commands) -> None:
    parser = _command(commands, "run", "fly", "fly a playbook against the real cluster")
    _target(parser)
    parser.add_argument("--observe", action="store_true", help="read-only: watch, judge, never write")
    parser.add_argument("--dry-run", action="store_true", help="server-side dry-run of every Kubernetes write, no ELBv2 write")
    parser.add_argument(
        "--program",
        metavar="FILE",
        help="the program it is a part of (default: a program.yaml that lists it, near it or in ./playbooks)",
    )
    _flying(parser)


def _world(parser: argparse.ArgumentParser, speed: float | None, pace: str) -> None:
    parser.add_argument("playbook", metavar="PLAYBOOK", nargs="?", default="rehearsal", help=f"{PLAYBOOK}; default rehearsal")
    parser.add_argument("--scenario", metavar="NAME", default="clean", help="what goes wrong in the world (default clean)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="the same seed tells the same story (default 1)")
    parser.add_argument(
        "--speed", metavar="X", type=_positive, default=speed, help=f"times faster than the wall (default {pace})"
    )
    parser.add_argument("--list-scenarios", action="store_true", help="list the scenarios and their expected outcome, then end")


def _rehearse(commands: Commands) -> None:
    more = "Headless, the rehearsal promotes by itself unless --no-autopilot is given: nothing real is moved."
    parser = _command(commands, "rehearse", "rehearse", "fly a playbook on the embedded world", more)
    _world(parser, None, "10; headless 60")
    _flying(parser)


def _serve(commands: Commands) -> None:
    more = (
        "When ready it prints one JSON line: kubeconfig, aws_endpoint_url, prometheus_url, registry_url, playbook.\n"
        "Then kubectl, the AWS CLI, curl and `cockpit run` work against it from other terminals, until it is stopped."
    )
    parser = _command(commands, "serve-rehearsal", "serve", "run only the embedded world, on loopback ports", more)
    _world(parser, 1.0, "1")
    crowd = parser.add_argument_group("a crowd around it, up to Kubernetes' published limit and beyond")
    crowd.add_argument("--nodes", metavar="N", type=int, help="so many nodes more (1 to 20000), each with the world's agents")
    crowd.add_argument("--pods", metavar="N", type=int, help="so many pods more on them, agents included (default 30 a node)")
    crowd.add_argument("--events", metavar="N", type=int, help="changes of them a second (0 to 5000; default 0)")
    crowd.add_argument("--pod-bytes", metavar="N", type=int, help="about so many bytes a pod (6000 to 64000; default 6000)")


def _validate(commands: Commands) -> None:
    parser = _command(commands, "validate", "validate", "check playbooks: every error at once, as file:line:col")
    parser.add_argument("playbooks", metavar="PLAYBOOK", nargs="+", help=PLAYBOOK)
    parser.add_argument("--online", action="store_true", help="also preflight against the cluster and account")
    parser.add_argument("--context", metavar="NAME", help="kubeconfig context for --online")
    _plugin(parser)


def _plan(commands: Commands) -> None:
    parser = _command(commands, "plan", "plan", "show the exact writes of the phases and of the rollback as diffs; write nothing")
    _target(parser)
    parser.add_argument("--phase", metavar="NAME", help="only this phase, and the rollback")


def _audit(commands: Commands) -> None:
    more = (
        "Every component that the move brings along is PASS, WAIVED, GATE, FIX or UNKNOWN, with what to do and who does it.\n"
        "A playbook's target namespace is looked at, and every DaemonSet of the cluster; images, manifests and lockfiles beside\n"
        "it, or alone: then no playbook and no cluster is needed, as in a pipeline before anything is deployed.\n"
        "Registries are asked with the credentials of `docker login`, and of AWS for ECR. Pull secrets (imagePullSecrets) are\n"
        "not read: log in here to the registries that want it.\n\n"
        "exit codes: 0 green, or waived where portability.require accepts that; 1 something is red, or could not be looked at;\n"
        "2 usage, or an invalid playbook, manifest or lockfile; 3 the cluster could not be reached"
    )
    parser = _command(commands, "audit", "audit", "find what does not run on the new architecture, before the first phase", more)
    parser.add_argument("playbook", metavar="PLAYBOOK", nargs="?", help=PLAYBOOK)
    what = parser.add_argument_group("what is looked at")
    what.add_argument("--all-namespaces", action="store_true", help="every workload of the cluster")
    what.add_argument("--namespace", metavar="NAME", action="append", default=[], help="one more namespace; may be repeated")
    for name, metavar, words in (
        ("image", "REF", "these images, whether anything uses them or not"),
        ("manifest", "FILE", "the workloads in these files of YAML or JSON; - is standard input"),
        ("lockfile", "FILE", "the packages that these lockfiles pin"),
    ):
        what.add_argument(f"--{name}", metavar=metavar, nargs="+", action="extend", default=[], help=words)
    what.add_argument("--index-url", metavar="URL", help="the Python package index that knows which wheels there are")
    what.add_argument("--python", metavar="VERSION", help="the Python that runs them, as 3.12: then no other one's wheels count")
    what.add_argument("--deep", action="store_true", help="read the images' layers for native code; downloads them")
    what.add_argument("--no-cluster", action="store_true", help="ask no cluster, though a PLAYBOOK is given for its waivers")
    what.add_argument("--no-aws", action="store_true", help="ask nothing of AWS, though the PLAYBOOK names surfaces")
    parser.add_argument("--context", metavar="NAME", help="kubeconfig context; wins over the playbook's target.context")
    _plugin(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object (`cockpit schema --audit` describes it)")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    form.add_argument("--sarif", action="store_true", help="SARIF 2.1.0, for code review")
    parser.add_argument("--output", metavar="FILE", help="write there, and one line on stdout")


def _rollback(commands: Commands) -> None:
    more = "Works with the metrics down and with no journal on this machine: the originals are kept on what was changed."
    parser = _command(commands, "rollback", "rollback", "roll back now, wait until safe, say so", more)
    _target(parser)
    parser.add_argument("--output", choices=("json", "text"), default="text", help="event lines for machines or for people")
    parser.add_argument("--give-up-after", metavar="SECONDS", type=_positive, default=900.0, help="end as failed after so long")


def _status(commands: Commands) -> None:
    parser = _command(commands, "status", "status", "one look at the run")
    _target(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--watch", action="store_true", help="again every two seconds, until stopped")


def _diagnose(commands: Commands) -> None:
    more = (
        "Every known symptom with its cause, a command that confirms it, the fix and the rollback move.\n"
        "Exit 1 when something is wrong or cannot be seen."
    )
    parser = _command(commands, "diagnose", "diagnose", "what is wrong with the target now, and what to do", more)
    _target(parser)
    parser.add_argument("--all", action="store_true", help="also list, one by one, what was looked for and not found")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _schema(commands: Commands) -> None:
    parser = _command(commands, "schema", "schema", "print the JSON Schema of the playbook")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--program", action="store_true", help="of a program instead (kind: Program)")
    other.add_argument("--audit", action="store_true", help="of what `cockpit audit --json` prints instead")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1,000,000")
    return value
