"""ECS task definitions: the architecture that `runtimePlatform` asks for.

Source: Amazon ECS API Reference, RuntimePlatform; on Fargate X86_64 is meant where none is named.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.verdict import Verdict

_SET = "register a revision with runtimePlatform.cpuArchitecture: ARM64, once its images are for arm64"


@dataclass(frozen=True, slots=True)
class Task:
    """What a task definition asks for. `cpu` and `system` are empty where it names none."""

    revision: str
    cpu: str = ""
    system: str = ""
    needs: tuple[str, ...] = ()
    """Its requiresCompatibilities: FARGATE, EC2, EXTERNAL."""
    images: tuple[str, ...] = ()


def judge_task(task: Task) -> Verdict:
    """The verdict on a task definition. Its images are the image audit's."""
    notes = (f"images (audit them with --image): {', '.join(task.images)}",) if task.images else ()
    if task.system.startswith("WINDOWS"):
        return Verdict(Mark.FIX, f"{task.revision}: {task.system} does not run on Graviton", "keep it on x86 and waive it", notes)
    if task.cpu == "ARM64":
        return Verdict(Mark.PASS, f"{task.revision}: ARM64", notes=notes)
    if task.cpu:
        return Verdict(Mark.FIX, f"{task.revision}: {task.cpu}", _SET, notes)
    if "FARGATE" in task.needs:
        return Verdict(Mark.FIX, f"{task.revision}: names no architecture, which is X86_64 on Fargate", _SET, notes)
    said = f"{task.revision}: names no architecture, so that it lands on whatever instances the cluster has"
    return Verdict(Mark.GATE, said, _SET, notes)
