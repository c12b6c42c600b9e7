"""PodDisruptionBudgets that let no pod go: the nodes that are left could never be drained of them.

A roll is not held up by them, only evictions are. Rounding is that of the disruption controller: percentages go up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.playbook import Playbook
from cockpit.model.workload import Budget, Workload
from cockpit.rules.selectors import matches

_PERCENT = re.compile(r"([0-9]{1,5})%", re.ASCII)


def budgets(found: Iterable[Budget], workloads: Sequence[Workload], playbook: Playbook | None) -> Iterator[Row]:
    """A row for each budget that guards a workload."""
    for budget in found:
        guarded = [w for w in workloads if _guards(budget, w)]
        if guarded or budget.expected:
            yield _row(budget, guarded, playbook)


def _guards(budget: Budget, workload: Workload) -> bool:
    same = budget.namespace == workload.ref.namespace and bool(budget.place) == bool(workload.place)
    return same and not workload.daemon and matches(budget.selector, workload.labels)


def _row(budget: Budget, guarded: Sequence[Workload], playbook: Playbook | None) -> Row:
    mark, status, action = _judged(budget, guarded)
    where = f"{budget.namespace}/" if budget.namespace else ""
    mine = playbook is not None and budget.namespace in ("", playbook.target.namespace)
    return Row(
        component=f"{Layer.SCHEDULING}/poddisruptionbudget/{where}{budget.name}",
        layer=Layer.SCHEDULING,
        mark=mark,
        status=status,
        action=action,
        owner=playbook.metadata.owner if playbook and mine else "",
        used_by=tuple(w.shown for w in guarded) or ((budget.place,) if budget.place else ()),
    )


def _judged(budget: Budget, guarded: Sequence[Workload]) -> tuple[Mark, str, str]:
    pods = _expected(budget, guarded)
    loosen = "let it spare at least one pod (maxUnavailable: 1), or run one replica more"
    if said := _never(budget, pods):
        return Mark.FIX, f"{said}: no drain would ever get a pod off its node", loosen
    if budget.allowed == 0 and pods:
        now = f" ({budget.healthy} of {budget.expected} pods are healthy)" if budget.healthy is not None else ""
        return Mark.GATE, f"allows no disruption now{now}: a drain would wait", "get its pods healthy, then audit again"
    if budget.allowed is not None:
        return Mark.PASS, f"spares {budget.allowed} {_pods(budget.allowed)} now", ""
    if budget.place or pods == 0:
        return Mark.PASS, "lets a drain go on", ""
    return (
        Mark.UNKNOWN,
        "its controller has not said yet how many pods its spec spares",
        "audit again once its status is up to date",
    )


def _never(budget: Budget, pods: int | None) -> str:
    """Why it can never spare a pod, whatever their health; empty when it can or the number of pods is not known."""
    if budget.most is not None:
        most = _scaled(budget.most, pods)
        return f"maxUnavailable is {budget.most}" if most == 0 else ""
    least = _scaled(budget.least, pods) if budget.least is not None else 0
    if least is None or not pods or least < pods:
        return f"minAvailable is {budget.least}" if budget.least == "100%" else ""
    return f"minAvailable is {budget.least} of {pods} {_pods(pods)}"


def _pods(count: int) -> str:
    return "pod" if count == 1 else "pods"


def _expected(budget: Budget, guarded: Sequence[Workload]) -> int | None:
    if budget.expected is not None:
        return budget.expected
    if any(w.replicas is None and w.ref.kind not in ("deployment", "statefulset", "replicaset", "pod") for w in guarded):
        return None
    return sum(1 if w.replicas is None else w.replicas for w in guarded)


def _scaled(amount: int | str, pods: int | None) -> int | None:
    """How many of `pods` an amount means, percentages rounded up; None when that cannot be told."""
    if isinstance(amount, int):
        return amount
    found = _PERCENT.fullmatch(amount)
    if found is None:
        return None
    percent = int(found[1])
    return -(-percent * pods // 100) if pods is not None else 0 if percent == 0 else None
