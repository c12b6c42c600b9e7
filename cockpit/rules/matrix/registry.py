"""The registry of detectors: what each looks for, which sources it needs, and in what order findings are told (gravest first)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from cockpit.model.finding import Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import SourceName as S
from cockpit.rules.matrix import agents, binaries, places, rollouts, scheduling
from cockpit.rules.matrix.scene import Scene

Detect: TypeAlias = Callable[[Scene], Iterable[Finding]]


def _always(playbook: Playbook) -> str:  # noqa: ARG001 (one shape for all)
    return ""


def _agents(playbook: Playbook) -> str:
    return "" if playbook.agents else "the playbook lists no agents"


def _alb(playbook: Playbook) -> str:
    return "" if playbook.alb else "the playbook has no traffic.alb"


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one kind. Without one of `needs` it sees nothing; without one of `helps` it may miss some.

    `absent` says why it has nothing to look at in a playbook, empty when it has.
    """

    kind: K
    detect: Detect
    needs: tuple[S, ...]
    helps: tuple[S, ...] = ()
    absent: Callable[[Playbook], str] = _always


_PODS = (S.PODS, S.DEPLOYMENTS, S.NODES)
DETECTORS: tuple[Detector, ...] = (
    Detector(K.NO_HEALTHY_TARGETS, places.no_healthy_targets, (S.RULES, S.TARGETS), absent=_alb),
    Detector(K.EXEC_FORMAT, binaries.exec_format, _PODS, (S.EVENTS, S.IMAGES)),
    Detector(K.NO_MANIFEST, binaries.no_manifest, _PODS, (S.EVENTS, S.IMAGES)),
    Detector(K.ILLEGAL_INSTRUCTION, binaries.illegal_instruction, _PODS),
    Detector(K.INVALID_ELF, binaries.invalid_elf, _PODS, (S.EVENTS,)),
    Detector(K.AGENT_CRASH_LOOP, agents.crash_loop, (S.PODS, S.NODES), absent=_agents),
    Detector(K.AGENT_MISSING, agents.missing, (S.PODS, S.NODES, S.DAEMONSETS), absent=_agents),
    Detector(K.EMULATED, binaries.emulated, (*_PODS, S.IMAGES)),
    Detector(K.PENDING_CAPACITY, partial(scheduling.pending, kind=K.PENDING_CAPACITY), _PODS),
    Detector(K.PENDING_TAINT, partial(scheduling.pending, kind=K.PENDING_TAINT), _PODS),
    Detector(K.PENDING_AFFINITY, partial(scheduling.pending, kind=K.PENDING_AFFINITY), _PODS),
    Detector(K.QUOTA, rollouts.quota, (S.DEPLOYMENTS,), (S.QUOTAS, S.EVENTS)),
    Detector(K.ONE_ARCH_STUCK, rollouts.one_arch_stuck, _PODS),
    Detector(K.PROGRESS_DEADLINE, rollouts.progress_deadline, (S.DEPLOYMENTS,)),
    Detector(K.HPA_AT_MAXIMUM, rollouts.hpa_at_maximum, (S.AUTOSCALERS,)),
    Detector(K.ARCH_LABEL_MISMATCH, places.arch_label_mismatch, (S.NODES,)),
    Detector(K.MIXED_ARCHES, rollouts.mixed_arches, _PODS),
)
BY_KIND = {detector.kind: detector for detector in DETECTORS}
EXPLAINS = (K.EXEC_FORMAT, K.NO_MANIFEST, K.ILLEGAL_INSTRUCTION, K.INVALID_ELF)
"""Kinds that say why a pod fails: such pods need no second finding that says only that they do."""
