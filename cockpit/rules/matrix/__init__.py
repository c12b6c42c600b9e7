"""The failure matrix: the runbook's symptom tables as detectors over one snapshot. Pure; what cannot be seen is called blind."""

from __future__ import annotations

from cockpit.rules.matrix.look import NOT_LOOKED, Matrix, Row, State, findings, look
from cockpit.rules.matrix.trigger import judge_finding

__all__ = ["NOT_LOOKED", "Matrix", "Row", "State", "findings", "judge_finding", "look"]
