"""A symptom that was detected: what was seen, the likely cause, and what to do. The runbook's tables as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cockpit.model.arch import Arch


class FindingKind(StrEnum):
    """The closed list of symptoms; the names are what playbooks and scripts use (`finding: exec_format`)."""

    EXEC_FORMAT = "exec_format"
    NO_MANIFEST = "no_manifest"
    EMULATED = "emulated"
    PENDING_AFFINITY = "pending_affinity"
    PENDING_TAINT = "pending_taint"
    PENDING_CAPACITY = "pending_capacity"
    AGENT_MISSING = "agent_missing"
    AGENT_CRASH_LOOP = "agent_crash_loop"
    INVALID_ELF = "invalid_elf"
    ILLEGAL_INSTRUCTION = "illegal_instruction"
    ONE_ARCH_STUCK = "one_arch_stuck"
    ARCH_LABEL_MISMATCH = "arch_label_mismatch"
    MIXED_ARCHES = "mixed_arches"
    NO_HEALTHY_TARGETS = "no_healthy_targets"
    PROGRESS_DEADLINE = "progress_deadline"
    QUOTA = "quota"
    HPA_AT_MAXIMUM = "hpa_at_maximum"


class Certainty(StrEnum):
    """How far a finding's evidence goes."""

    SURE = "sure"
    """The component that refused, or a registry by digest, says so itself."""
    LIKELY = "likely"
    """A process's own words, or what fits nothing else."""
    GUESS = "guess"
    """A tag, or a hint that other causes leave as well."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One detected symptom. `objects` are `Kind/name` of what shows it, `count` how many; `since` None when not known.

    `fix` and `rollback` are sentences for a tired person: what mends it, and which move makes it safe now. `confirm`, `mend` (for
    `fix`) and `first` (what `rollback` begins with where the cockpit has no key for it) are commands to paste, without a
    kubeconfig context; the latter two are empty where there is none.

    `side` is the architecture whose path it is on: the one that is moved to for the canary, wherever it runs; None when it
    concerns both, or nobody knows.
    """

    kind: FindingKind
    title: str
    objects: tuple[str, ...]
    message: str
    cause: str
    confirm: str
    fix: str
    rollback: str
    count: int = 1
    since: datetime | None = None
    side: Arch | None = None
    certainty: Certainty = Certainty.SURE
    mend: str = ""
    first: str = ""
