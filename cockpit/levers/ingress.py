"""The ingress lever: moves traffic by the action of an Ingress, where the AWS Load Balancer Controller owns the rules.

The controller sets back what anybody else writes to its rules, so the Ingress's annotation is patched instead, with the old one
as the patch's precondition. A rule that follows is the proof: until it does nothing has moved, whatever the annotation says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from msgspec import DecodeError

from cockpit.clock import Clock
from cockpit.connections.aws import Elb
from cockpit.connections.decode_ingress import INGRESSES
from cockpit.connections.kube import KubeClient
from cockpit.errors import Drift, Impossible, NotFound, Unreachable
from cockpit.levers.affinity_patch import EPOCH, RUN
from cockpit.levers.base import Fence, Found
from cockpit.levers.fencing import demand_epoch
from cockpit.levers.health import demand_still_healthy
from cockpit.levers.ingress_action import Names, others_in, with_weights
from cockpit.levers.ingress_balance import Place, Routed, as_rule, owned, reading, written_by
from cockpit.levers.ingress_patch import ORIGINAL, Part, operations
from cockpit.levers.ingress_reading import read_balance
from cockpit.levers.ingress_writing import IngressWriting, standing
from cockpit.levers.retries import repeated
from cockpit.levers.weights_actions import check_weights
from cockpit.levers.weights_balance import Balance, check_health, growing, moves, returning, sick
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ingress
from cockpit.model.json import Json
from cockpit.model.managed import OURS as MANAGER
from cockpit.model.plan import Plan, Reading, Write
from cockpit.model.playbook import Alb, WeightsSet
from cockpit.model.share import Rule
from cockpit.model.snapshot import Freshness, Snapshot, SourceName

PROOF_SECONDS = 5.0
"""How long (wall time) a way back waits for the rules each time that it looks whether they follow."""


class IngressLever:
    """Moves the weights in one action of one Ingress. It is the `weights` lever of a playbook that names one.

    Without `elb` everything but proof works: that is enough to go back. With `dry_run` the API server checks every write and
    keeps none. `run` names the run in an annotation.
    """

    name = "weights"
    source = SourceName.RULES

    def __init__(
        self,
        client: KubeClient,
        elb: Elb | None,
        alb: Alb,
        namespace: str,
        run: str,
        clock: Clock,
        *,
        dry_run: bool = False,
        rng: Random | None = None,
    ) -> None:
        if alb.ingress is None:
            raise Impossible("this playbook names no Ingress (traffic.alb.ingress)")
        self._client = client
        self._elb = elb
        self._alb = alb
        self._place = Place(namespace, alb.ingress)
        self._names = Names(alb.target_groups, alb.ingress.services)
        self.run = run
        """The name of the run that the writes leave on the target."""
        self._clock = clock
        self._params = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
        self._writing = IngressWriting(self.name, self._place, self._names, self._params)
        self._rng = rng or Random()  # noqa: S311 (spreads retries, guards nothing)

    async def read(self) -> Routed:
        """The Ingress, the rules that forward to both target groups, the targets' health; what AWS does not tell is not known."""
        ingress, balance = await asyncio.gather(self._read(), read_balance(self._elb, self._alb.target_groups, targets=True))
        return Routed(ingress, balance)

    async def read_for_restore(self) -> Routed:
        """The Ingress alone: nobody on the way back waits for AWS before the Ingress is written."""
        return Routed(await self._read(), Balance((), None, "the load balancer was not asked"))

    async def read_for_proof(self) -> Routed:
        """The Ingress and, as far as AWS answers soon, the rules that follow it."""
        balance = read_balance(self._elb, self._alb.target_groups, targets=False, patience=PROOF_SECONDS)
        return Routed(*await asyncio.gather(self._read(), balance))

    def moves(self, desired: WeightsSet) -> bool:
        """Any weight for the target."""
        return bool(desired.weights[Arch.ARM64])

    def seen(self, snapshot: Snapshot) -> Routed | None:
        """What the snapshot shows; rules and targets only while their sources are LIVE. None without the Ingress."""
        key = f"{self._place.namespace}/{self._place.ingress.name}"
        ingress, source = snapshot.ingresses.get(key), snapshot.source(SourceName.INGRESSES)
        rules = snapshot.source(SourceName.RULES)
        if ingress is None or Freshness.UNSYNCED in (source.freshness, rules.freshness):
            return None
        told = snapshot.source(SourceName.TARGETS)
        groups = [snapshot.targets.get(arn) for arn in self._alb.target_groups.values()]
        known = tuple(group for group in groups if group is not None)
        targets = known if told.live and len(known) == len(groups) else None
        why = "" if targets else told.why or f"targets are {told.freshness}"
        return Routed(ingress, Balance(tuple(snapshot.rules.values()), targets, why), source.live)

    def plan(self, state: Routed, desired: WeightsSet) -> Plan:
        """The one write to `desired`. Impossible for weights that cannot be set, or a shift onto no healthy target."""
        check_weights({str(arch): weight for arch, weight in desired.weights.items()})
        part = self._writing.part(state.ingress)
        now = self._writing.weights(part.text)
        title = "weights: " + ", ".join(f"{arch} {weight}" for arch, weight in sorted(desired.weights.items(), reverse=True))
        if not (now[Arch.AMD64] or now[Arch.ARM64] or any(others_in(part.text, self._names, self._place.what).values())):
            raise Impossible(
                f"{self._place.what}: all of its weights are zero, so there is nothing to go back to; give it some first"
            )
        kept = part.original or self._place.record(now)
        self._place.recorded(kept)
        virtual = self._as_rule(part.text)
        mine = owned(state, self._place.namespace)
        wanted = {self._alb.target_groups[arch]: weight for arch, weight in desired.weights.items()}
        balance = replace(state.balance, rules=(virtual, *mine))
        if not mine:
            raise Impossible(
                f"{self._place.label}: no rule of a load balancer has both target groups and the tags of this Ingress "
                f"{f'({state.balance.why}) ' if state.balance.why else ''}so nothing would prove that it follows; "
                "look at `kubectl describe ingress` and the AWS Load Balancer Controller's log"
            )
        check_health(balance, wanted, self._alb.target_groups)
        text = with_weights(part.text, self._names, desired.weights, self._place.what)
        if text == part.text:
            return Plan(title, (), "no traffic moves")
        write = self._writing.write(state.ingress, part, Part(text, kept, self.run))
        more: list[Json] = [*dict.fromkeys(arn for rule in balance.rules for arn in growing(rule, wanted))]
        write = replace(write, request={**write.request, "healthy": more})
        return Plan(title, (write,), moves(replace(balance, rules=(virtual,)), wanted, self._alb.target_groups[Arch.ARM64]))

    def undo(self, plan: Plan) -> Plan:
        """Back to what each write found, last first.

        One that gives arm64 more again is Impossible, when it is made, while no target there is healthy.
        """
        return Plan(f"undo: {plan.title}", tuple(map(self._reverse, reversed(plan.writes))), plan.blast_radius)

    def restore(self, state: Routed) -> Plan:
        """Back to the weights that the Ingress keeps, whatever else was changed in its action; empty when nothing is recorded."""
        title, ingress = "weights: back to the original", state.ingress
        if not any(key in ingress.annotations for key in (ORIGINAL, RUN)):
            return Plan(title, (self._writing.unstamp(ingress),) if EPOCH in ingress.annotations else ())
        part = self._writing.part(ingress)
        now, was = self._writing.weights(part.text), self._writing.weights(part.text)
        if part.original is not None:
            was = self._place.recorded(part.original)
        if not any(was.values()) and not any(others_in(part.text, self._names, self._place.what).values()):
            raise Impossible(f"{self._place.label}: the recorded weights are all zero and would serve nobody; set it by hand")
        text = with_weights(part.text, self._names, was, self._place.what)
        write = self._writing.write(ingress, part, Part(text))
        grows = [arch for arch in Arch if was[arch] > now[arch]]
        told = ["the action goes back to the weights from before the run" if text != part.text else "no traffic moves"]
        told += [sick(state.balance, self._alb.target_groups[arch]) for arch in grows]
        return Plan(title, (write,), "; ".join(filter(None, told)))

    def recover(self, state: Routed, kept: Mapping[str, tuple[Json, Json]]) -> Plan:
        """Back to the weights from before the run where the Ingress has lost its record, and still has what the run set last."""
        title, part = "weights: back to the original, from the run's own record", self._writing.part(state.ingress)
        before, after = kept.get(self._place.label, (None, None))
        now = self._writing.weights(part.text)
        if part.original is not None or not isinstance(before, dict) or after != {str(a): w for a, w in now.items()}:
            return Plan(title)
        was = self._place.recorded(f"{self._place.ingress.action} amd64={before.get('amd64')} arm64={before.get('arm64')}")
        text = with_weights(part.text, self._names, was, self._place.what)
        writes = (self._writing.write(state.ingress, part, Part(text)),) if text != part.text else ()
        return Plan(title, writes, "the action goes back to the weights from before the run" if writes else "")

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        """Send one patch and compare the answer. Harmless when the write is already there.

        Drift when the action, the record or the UID are not what the plan read; Conflict and Throttled only after five tries, as
        each try reads again first. Whether a rule follows is for `reading` to tell.
        """
        await repeated(lambda: self._attempt(write, fence), self._clock, self._rng)

    async def fence_target(self, write: Write, fence: Fence) -> None:
        """Make sure that a patch which an older epoch may have sent for `write` cannot land any more, changing nothing else.

        The epoch stays on the Ingress, also where no run has written yet: whoever still believes to have the controls may only
        be about to read.
        """
        await repeated(lambda: self._stamp(write, fence), self._clock, self._rng)

    async def found(self, write: Write) -> Found:
        """What became of a write that may or may not have been carried out; an Ingress that is gone contradicts it."""
        try:
            live = await self._read()
        except NotFound:
            return Found.CONTRADICTED
        if live.uid != write.expects["uid"] or self._place.key not in live.annotations:
            return Found.CONTRADICTED
        part = replace(Part.of(live, self._place.key), run=None)
        if part == replace(standing(write.request["after"]), run=None):
            return Found.DONE
        return Found.NOT_DONE if part == replace(standing(write.expects["part"]), run=None) else Found.CONTRADICTED

    def reading(self, state: Routed, desired: WeightsSet | None) -> Reading:
        """Intended, annotated and followed, each apart. PROVEN only when every rule of the Ingress follows."""
        return reading(state, desired, self._alb, self._names, self._place)

    def _reverse(self, write: Write) -> Write:
        back, groups = self._writing.reverse(write), self._alb.target_groups
        stands, was = standing(write.request["after"]).text, standing(write.expects["part"]).text
        weights = {groups[arch]: weight for arch, weight in self._writing.weights(was).items()}
        more = returning(self._as_rule(stands), weights, groups[Arch.ARM64])
        return replace(back, request={**back.request, "healthy": more})

    async def _attempt(self, write: Write, fence: Fence | None) -> None:
        live = await self._read()
        after, before = standing(write.request["after"]), standing(write.expects["part"])
        epoch = demand_epoch(live.annotations.get(EPOCH), fence, write.target)
        if fence is None and after.original is None:
            epoch = None  # rolled back: no trace stays
        self._demand(write, live, before, after)
        there = Part.of(live, self._place.key) == after
        if there and (after.original is not None or live.annotations.get(EPOCH) == epoch):
            return
        await demand_still_healthy(write, self._elb, self._alb.target_groups)
        stored = await self._send(live, after.annotations(self._place.key, epoch), way_back=fence is None)
        if self._place.key not in stored.annotations or Part.of(stored, self._place.key) != after:
            raise Drift(f"{write.target}: the server stored something else than was sent; look for an admission webhook")

    async def _stamp(self, write: Write, fence: Fence) -> None:
        live = await self._read()
        if live.uid != write.expects["uid"]:
            return  # an older patch tests the UID
        before = live.annotations.get(EPOCH)
        if before != (epoch := demand_epoch(before, fence, write.target)):
            await self._send(live, {EPOCH: epoch})

    def _demand(self, write: Write, live: Ingress, before: Part, after: Part) -> None:
        """Drift unless the Ingress is as the write expects it, or already as it leaves it."""
        if live.uid != write.expects["uid"]:
            raise Drift(f"{write.target}: it was deleted and made again (another UID); nothing was written; plan again")
        if self._place.key not in live.annotations:
            raise Drift(f"{write.target}: its annotation {self._place.key} is gone; nothing was written; plan again")
        part = Part.of(live, self._place.key)
        if replace(part, run=None) in (replace(before, run=None), replace(after, run=None)):
            return
        who = written_by(live, self._place.key)
        raise Drift(
            f"{self._place.what} is not what was read{f' (last written by {who})' if who else ''}; "
            "nothing was written; plan again"
        )

    async def _send(self, live: Ingress, notes: Mapping[str, str | None], *, way_back: bool = False) -> Ingress:
        patch = operations(live, notes)
        return _ingress(await self._client.patch(self._place.path, patch, params=self._params, way_back=way_back))

    def _as_rule(self, text: str) -> Rule:
        return as_rule(self._place.label, self._writing.weights(text), others_in(text, self._names, self._place.what), self._alb)

    async def _read(self) -> Ingress:
        return _ingress(await self._client.look(self._place.path))


def _ingress(raw: bytes) -> Ingress:
    try:
        return INGRESSES.one(raw)
    except DecodeError as fault:
        raise Unreachable(f"what the API server sent is no Ingress: {fault}") from None
