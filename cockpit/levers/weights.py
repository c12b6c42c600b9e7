"""The weights lever: moves traffic between two target groups by their weights in load balancer rules.

A load balancer has no conditional write, so each write reads the rule right before and right after it. The weights from
before the run are kept in a tag on the rule or listener, set before the first change and removed after the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Unpack

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.errors import CockpitError, Drift, Impossible, NotFound
from cockpit.levers.after_a_crash import of_weights
from cockpit.levers.base import Fence, Found
from cockpit.levers.weights_actions import (
    EPOCH,
    ORIGINAL,
    check,
    check_weights,
    label,
    record,
    recorded,
    sendable,
    with_weights,
)
from cockpit.levers.weights_balance import (
    Balance,
    check_health,
    growing,
    is_set,
    mark,
    moves,
    returning,
    share_in_words,
    sick,
    with_,
)
from cockpit.levers.weights_writing import Manner, RuleWriter, actions_of
from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.model.plan import Plan, Proof, Reading, Write
from cockpit.model.playbook import Alb, WeightsSet
from cockpit.model.share import Rule, TargetGroup
from cockpit.model.snapshot import Freshness, Snapshot, SourceName


class WeightsLever:
    """Moves the weights of the playbook's two target groups in all of its listeners and rules, which are one unit."""

    name = "weights"
    source = SourceName.RULES

    def __init__(self, elb: Elb, alb: Alb, clock: Clock, **manner: Unpack[Manner]) -> None:
        self._elb = elb
        self._alb = alb
        self._writer = RuleWriter(elb, alb, clock, **manner)

    async def read(self) -> Balance:
        """The rules with their tags, and the targets' health; health that cannot be read is None."""
        rules, (targets, why) = await asyncio.gather(self._elb.rules(self._alb.listeners, self._alb.rules), self._read_targets())
        return Balance(tuple(rules), targets, why)

    async def read_for_restore(self) -> Balance:
        """The rules alone, as many as there are."""
        rules, missing = await self._elb.rules_there(self._alb.listeners, self._alb.rules)
        return Balance(rules, None, "targets were not asked for", {arn: str(error) for arn, error in missing.items()})

    def moves(self, desired: WeightsSet) -> bool:
        """Any weight for the target: a phase that gives it none is where every run begins."""
        return bool(desired.weights[Arch.ARM64])

    def seen(self, snapshot: Snapshot) -> Balance | None:
        """What the snapshot shows; targets only while their source is LIVE. None without all of the rules."""
        if snapshot.source(SourceName.RULES).freshness is Freshness.UNSYNCED:
            return None
        found = [snapshot.rules.get(arn) for arn in (*self._alb.listeners, *self._alb.rules)]
        rules = tuple(rule for rule in found if rule is not None)
        if len(rules) < len(found):
            return None
        source = snapshot.source(SourceName.TARGETS)
        groups = [snapshot.targets.get(arn) for arn in self._alb.target_groups.values()]
        known = tuple(group for group in groups if group is not None)
        if not source.live or len(known) < len(groups):
            return Balance(rules, None, source.why or f"targets are {source.freshness}")
        return Balance(rules, known)

    def plan(self, state: Balance, desired: WeightsSet) -> Plan:
        """One write for each rule that differs. Impossible for weights that cannot be set, or a shift onto no healthy target."""
        check_weights({str(arch): weight for arch, weight in desired.weights.items()})
        weights = {self._alb.target_groups[arch]: weight for arch, weight in desired.weights.items()}
        for rule in state.rules:
            check(rule, weights)
        check_health(state, weights, self._alb.target_groups)
        writes = tuple(self._write(rule, weights) for rule in state.rules if not is_set(rule, weights))
        title = "weights: " + ", ".join(f"{arch} {weight}" for arch, weight in sorted(desired.weights.items(), reverse=True))
        return Plan(title, writes, moves(state, weights, self._alb.target_groups[Arch.ARM64]) if writes else "no traffic moves")

    def undo(self, plan: Plan) -> Plan:
        """Back to what each write found, last first; the first write on a rule takes its tag away again.

        One that gives arm64 more again is Impossible, when it is made, while no target there is healthy.
        """
        return Plan(f"undo: {plan.title}", tuple(map(self._reverse, reversed(plan.writes))), plan.blast_radius)

    def restore(self, state: Balance) -> Plan:
        """Back to the weights in the rules' tags. Never refused for bad health, which is said in the blast radius instead.

        Impossible only when no rule can be restored; otherwise those that cannot are named in the blast radius.
        """
        writes, words = [], []
        for rule in state.rules:
            try:
                if ORIGINAL in rule.tags:
                    writes.append(self._write_back(rule))
                elif EPOCH in rule.tags:
                    writes.append(self._unstamp(rule))
            except Impossible as fault:
                words.append(str(fault))
        if words and not writes:
            raise Impossible("; ".join(words))
        moved = [write for write in writes if write.before != write.after]
        back = f"{len(moved)} of {len(state.rules)} rules go back to the weights from before the run"
        told = [back if moved else "no traffic moves", *words]
        told += [sick(state, arn) for arch, arn in self._alb.target_groups.items() if any(_grows(w, arch) for w in moved)]
        return Plan("weights: back to the original", tuple(writes), "; ".join(filter(None, told)) if writes else "")

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        """Tag, modify, read back. Harmless when the write is already there; Drift when the rule is not what the plan read.

        Throttled and time-outs are repeated within the budget. The epoch of `fence` is left in a tag before.
        """
        await self._writer.apply(write, fence)

    async def found(self, write: Write) -> Found:
        """What became of a write; a rule that is gone contradicts it."""
        try:
            return of_weights(write, await self._writer.look(write))
        except (Drift, NotFound):
            return Found.CONTRADICTED

    def recover(self, state: Balance, kept: Mapping[str, tuple[Json, Json]]) -> Plan:
        """Back to the weights that `kept` has, where the tag is gone and the weights are as the run has left them."""
        writes = []
        for rule in state.rules:
            before, after = (_weights(part, self._alb.target_groups) for part in kept.get(label(rule), (None, None)))
            lost = before and after and ORIGINAL not in rule.tags and is_set(rule, after) and not is_set(rule, before)
            if lost:
                writes.append(self._change(rule, before, {"tag": None, "untag": False}))
        return Plan("weights: back to the original in the run's record", tuple(writes), "")

    def reading(self, state: Balance, desired: WeightsSet | None) -> Reading:
        """Intended and configured share of arm64, each rule apart where they disagree. `observed` is the caller's to fill."""
        arm = self._alb.target_groups[Arch.ARM64]
        wanted = [(rule, self._wanted(rule, desired)) for rule in state.rules]
        intended = dict.fromkeys(share_in_words(with_(rule, weights), arm) for rule, weights in wanted)
        configured = dict.fromkeys(share_in_words(rule, arm) for rule in state.rules)
        wrong = [label(rule) for rule, weights in wanted if not weights or not is_set(rule, weights)]
        proof = Proof.CONTRADICTED if wrong else Proof.UNPROVEN if state.missing else Proof.PROVEN
        why = f"not as intended: {', '.join(wrong)}" if wrong else "; ".join(state.missing.values())
        marks = tuple(mark(rule, self._alb.target_groups) for rule in state.rules)
        return Reading(self.name, " / ".join(intended), " / ".join(configured), "", proof, why, marks)

    def _wanted(self, rule: Rule, desired: WeightsSet | None) -> Mapping[str, int]:
        groups = self._alb.target_groups
        if desired is not None:
            return {groups[arch]: weight for arch, weight in desired.weights.items()}
        if ORIGINAL not in rule.tags:
            return {arn: weight for arn, weight in rule.weights.items() if arn in groups.values()}
        try:
            return recorded(rule, tuple(groups.values()))
        except Impossible:
            return {}

    def _write(self, rule: Rule, weights: Mapping[str, int]) -> Write:
        tag = None if ORIGINAL in rule.tags else record(rule)
        return self._change(rule, weights, {"tag": tag, "untag": False, "healthy": [*growing(rule, weights)]})

    def _write_back(self, rule: Rule) -> Write:
        return self._change(rule, recorded(rule, tuple(self._alb.target_groups.values())), {"tag": None, "untag": True})

    def _unstamp(self, rule: Rule) -> Write:
        """Takes away an epoch that was left by a phase that was undone."""
        now = {arn: rule.weights[arn] for arn in self._alb.target_groups.values() if arn in rule.weights}
        return self._change(rule, now, {"tag": None, "untag": True, "only": "epoch"})

    def _change(self, rule: Rule, weights: Mapping[str, int], tagging: Mapping[str, Json]) -> Write:
        names = {arn: str(arch) for arch, arn in self._alb.target_groups.items()}
        return Write(
            lever=self.name,
            target=label(rule),
            before={names[arn]: rule.weights[arn] for arn in weights},
            after={names[arn]: weight for arn, weight in weights.items()},
            request={
                "arn": rule.arn,
                "is_default": rule.is_default,
                "actions": [dict(a) for a in with_weights(sendable(rule.actions), weights)],
                **tagging,
            },
            expects={"actions": [dict(a) for a in sendable(rule.actions)]},
        )

    def _reverse(self, write: Write) -> Write:
        recorded_here = write.request["tag"] is not None
        groups = self._alb.target_groups
        stands = Rule(str(write.request["arn"]), bool(write.request["is_default"]), actions_of(write.request))
        more = returning(stands, _weights(write.before, groups), groups[Arch.ARM64])
        tagging: dict[str, Json] = {"tag": None, "untag": recorded_here, "healthy": more}
        return Write(
            lever=write.lever,
            target=write.target,
            before=write.after,
            after=write.before,
            request={**write.request, "actions": write.expects["actions"], **tagging},
            expects={"actions": write.request["actions"]},
        )

    async def _read_targets(self) -> tuple[tuple[TargetGroup, ...] | None, str]:
        try:
            return tuple(await self._elb.target_groups(self._alb.target_groups)), ""
        except CockpitError as fault:
            return None, str(fault)


def _grows(write: Write, arch: Arch) -> bool:
    before, after = write.before, write.after
    return isinstance(before, dict) and isinstance(after, dict) and _number(after[arch]) > _number(before[arch])


def _weights(part: Json, groups: Mapping[Arch, str]) -> dict[str, int]:
    """Weights by target group, from those by architecture; empty when there are none for each."""
    found = {arn: part.get(str(arch)) for arch, arn in groups.items()} if isinstance(part, dict) else {}
    return {arn: weight for arn, weight in found.items() if isinstance(weight, int)} if None not in found.values() else {}


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
