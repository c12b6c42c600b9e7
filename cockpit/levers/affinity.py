"""The affinity lever: binds a workload's pods to an architecture through its pod template's node affinity.

Each write is one JSON Patch whose tests fail when the affinity is not what the plan read. The affinity from before the
run is kept in an annotation on the Deployment itself, so that any machine can go back to it. Replicas are never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.errors import Drift, Impossible, NotFound
from cockpit.levers.affinity_patch import EPOCH, OURS, RUN, Live, Part, guard, is_bare, operations
from cockpit.levers.affinity_placement import (
    Placement,
    check,
    configured_in_words,
    in_words,
    intended,
    mark,
    opposing_preference,
)
from cockpit.levers.affinity_reading import path_of, placement, what_is_there
from cockpit.levers.affinity_rollout import proof, rolls
from cockpit.levers.after_a_crash import of_affinity
from cockpit.levers.base import Fence, Found
from cockpit.levers.difference import first_difference
from cockpit.levers.fencing import demand_epoch
from cockpit.levers.retries import repeated
from cockpit.model.cluster import Deployment, Ref
from cockpit.model.json import Json, canonical
from cockpit.model.managed import OURS as MANAGER
from cockpit.model.plan import Plan, Proof, Reading, Write
from cockpit.model.playbook import AffinityMode, AffinitySet, Playbook
from cockpit.model.snapshot import Freshness, Snapshot, SourceName
from cockpit.rules.original import ORIGINAL, homeward, left
from cockpit.rules.others import others


def workloads_moved(playbook: Playbook) -> tuple[Ref, ...]:
    """The workloads whose affinity some phase sets, in the order of the target."""
    named = {phase.affinity.workload for phase in playbook.phases if phase.affinity}
    return tuple(ref for ref in playbook.target.workloads if ref in named)


class AffinityLever:
    """Moves the affinity of `workloads` (Deployments). `run` names the run in an annotation and must be a valid label value.

    With `dry_run` the server checks every write and keeps none. `rng` spreads retries after conflicts.
    """

    name = "affinity"
    source = SourceName.DEPLOYMENTS

    def __init__(
        self,
        client: KubeClient,
        workloads: Sequence[Ref],
        run: str,
        clock: Clock,
        *,
        dry_run: bool = False,
        rng: Random | None = None,
    ) -> None:
        self._client = client
        self._workloads = tuple(workloads)
        self.run = run
        """The name of the run that the writes leave on the target."""
        self._clock = clock
        self._params = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
        self._rng = rng or Random()  # noqa: S311 (spreads retries, guards nothing)

    async def read(self) -> Placement:
        """The workloads, and the nodes; nodes that cannot be read are None."""
        return await placement(self._client, self._workloads, nodes=True)

    async def read_for_restore(self) -> Placement:
        """The workloads alone, as many as there are: nothing else is needed to go back."""
        return await what_is_there(self._client, self._workloads)

    def moves(self, desired: AffinitySet) -> bool:
        """Every mode but `none`."""
        return desired.mode is not AffinityMode.NONE

    def seen(self, snapshot: Snapshot) -> Placement | None:
        """What the snapshot shows; nodes only while their source is LIVE. None without all of the workloads."""
        if snapshot.source(SourceName.DEPLOYMENTS).freshness is Freshness.UNSYNCED:
            return None
        found = {ref: snapshot.deployments.get(f"{ref.namespace}/{ref.name}") for ref in self._workloads}
        deployments = {ref: d for ref, d in found.items() if d is not None}
        if len(deployments) < len(found):
            return None
        nodes = snapshot.source(SourceName.NODES)
        if not nodes.live:
            return Placement(deployments, None, nodes.why or f"nodes are {nodes.freshness}")
        return Placement(deployments, tuple(snapshot.nodes.values()))

    def plan(self, state: Placement, desired: AffinitySet) -> Plan:
        """The one write to `desired`. Impossible when pods would find no node, the Deployment is paused or nodes are unknown."""
        deployment = _find(state, desired.workload)
        title = f"affinity of {desired.workload}: {in_words(desired)}"
        if desired.mode is AffinityMode.NONE:
            return Plan(title, *self._write_back([deployment]))
        after = intended(deployment, desired)
        if canonical(after) == canonical(deployment.affinity):
            return Plan(title)
        check(deployment, desired, state)
        recorded = deployment.annotations.get(ORIGINAL, canonical(deployment.affinity))
        write = self._write(deployment, Part(after, {ORIGINAL: recorded, RUN: self.run}))
        words = [rolls([deployment]), opposing_preference(deployment, desired)]
        return Plan(title, (write,), "; ".join(w for w in words if w))

    def undo(self, plan: Plan) -> Plan:
        """Back to what each write found, last first."""
        return Plan(f"undo: {plan.title}", tuple(map(self._reverse, reversed(plan.writes))), plan.blast_radius)

    def restore(self, state: Placement) -> Plan:
        """Back to the affinity from before the run, annotations included. Needs no nodes; empty when nothing is recorded.

        Impossible only when no workload can be restored; otherwise those that cannot are named in the blast radius.
        """
        title = "affinity: back to the original"
        writes, words = self._write_back([d for d in state.deployments.values() if any(key in d.annotations for key in OURS)])
        writes += tuple(self._unstamp(d) for d in state.deployments.values() if _only_stamped(d))
        if words and not writes:
            raise Impossible(words)
        return Plan(title, writes, words)

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        """Send one patch and compare the answer. Harmless when the write is already there.

        Drift when the affinity, the annotations or the UID are not what the plan read; Conflict and Throttled only after
        five tries, as each try reads again first. The epoch of `fence` is tested and left with the same patch.
        """
        await repeated(lambda: self._attempt(write, fence), self._clock, self._rng)

    async def found(self, write: Write) -> Found:
        """What became of a write; a Deployment that is gone contradicts it."""
        try:
            return of_affinity(write, Live.parse(await self._client.get(str(write.request["path"]))))
        except NotFound:
            return Found.CONTRADICTED

    def recover(self, state: Placement, kept: Mapping[str, tuple[Json, Json]]) -> Plan:
        """Back to the affinity that `kept` has, where the annotation is gone and the affinity is as the run has left it."""
        writes, rolling = [], []
        for deployment in state.deployments.values():
            before, after = map(_part, kept.get(f"deployment/{deployment.name}", (None, None)))
            now = canonical(deployment.affinity)
            if ORIGINAL not in deployment.annotations and canonical(before.affinity) != now == canonical(after.affinity):
                writes.append(self._write(deployment, Part(before.affinity)))
                rolling.append(deployment)
        return Plan("affinity: back to the original in the run's record", tuple(writes), rolls(rolling) if rolling else "")

    def others(self, state: Placement) -> tuple[str, ...]:
        """What others have changed in the specs since the run began; nothing of a Deployment that the run has not changed."""
        return tuple(words for d in state.deployments.values() for words in others(d, d.annotations.get(RUN, "")))

    async def fence_target(self, write: Write, fence: Fence) -> None:
        """Make sure that a patch which an older epoch may have sent for `write`, and which nobody has seen land, cannot land.

        It leaves the epoch on the Deployment and changes nothing else, also where no run has written yet: whoever still believes
        to have the controls may only be about to read.
        """
        await repeated(lambda: self._stamp(write, fence), self._clock, self._rng)

    def reading(self, state: Placement, desired: AffinitySet | None) -> Reading:
        """How far `desired` (None: the original everywhere) holds. PROVEN only when configured and fully rolled out."""
        told = self._reading(state, desired)
        if desired is None and state.missing and told.proof is Proof.PROVEN:
            return replace(told, proof=Proof.UNPROVEN, why="; ".join(f"{ref}: {why}" for ref, why in state.missing.items()))
        return told

    def _reading(self, state: Placement, desired: AffinitySet | None) -> Reading:
        deployments = [_find(state, desired.workload)] if desired else list(state.deployments.values())
        marks = tuple(map(mark, state.deployments.values()))
        rolled = ", ".join(f"{d.updated}/{d.replicas} rolled out" for d in deployments)
        try:
            targets = [(d, intended(d, desired) if desired else homeward(d)) for d in deployments]
        except Impossible as fault:
            return Reading(self.name, in_words(desired), "something else", rolled, Proof.UNPROVEN, str(fault), marks)
        words = dict.fromkeys(configured_in_words(d) for d in deployments)
        return Reading(self.name, in_words(desired), " / ".join(words), rolled, *proof(targets), marks)

    async def _attempt(self, write: Write, fence: Fence | None) -> None:
        after, path = _part(write.after), str(write.request["path"])
        live = Live.parse(await self._client.look(path))
        epoch = demand_epoch(live.epoch, fence, write.target)
        if fence is None and not after.annotations:
            epoch = None  # rolled back: no trace stays
        there = live.uid == write.expects["uid"] and live.part.same(after)
        if there and (after.annotations or live.epoch == epoch):
            return
        if not there:
            _demand(write, live)
        stored = await self._send(path, live, after.stamped(epoch), way_back=fence is None)
        if not stored.part.same(after):
            found = first_difference(after.affinity, stored.part.affinity, "spec.template.spec.affinity")
            raise Drift(
                f"{write.target}: the server stored something else than was sent: {found or 'its annotations differ'}; "
                "look for an admission webhook that changes Deployments"
            )

    async def _stamp(self, write: Write, fence: Fence) -> None:
        path = str(write.request["path"])
        live = Live.parse(await self._client.look(path))
        if live.uid != write.expects["uid"]:
            return  # an older patch tests the UID
        if live.epoch != (epoch := demand_epoch(live.epoch, fence, write.target)):
            await self._send(path, live, live.part.stamped(epoch))

    async def _send(self, path: str, live: Live, after: Part, *, way_back: bool = False) -> Live:
        patch = guard(live, after) + operations(live.uid, live.part.stamped(live.epoch), after, bare=live.bare)
        return Live.parse(await self._client.patch(path, patch, params=self._params, way_back=way_back))

    def _write(self, deployment: Deployment, after: Part) -> Write:
        before = Part.of(deployment.affinity, deployment.annotations)
        patch = operations(deployment.uid, before, after, bare=is_bare(deployment.annotations))
        return Write(
            lever=self.name,
            target=f"deployment/{deployment.name}",
            before=before.as_json(),
            after=after.as_json(),
            request=self._request(path_of(deployment.namespace, deployment.name), patch),
            expects={"uid": deployment.uid, **before.as_json()},
        )

    def _unstamp(self, deployment: Deployment) -> Write:
        """Takes away a fence that was left where no run has written."""
        write = self._write(deployment, Part.of(deployment.affinity, deployment.annotations))
        return replace(write, request={**write.request, "only": "epoch"})

    def _reverse(self, write: Write) -> Write:
        uid, patch = str(write.expects["uid"]), write.request["patch"]
        # The map of annotations is made whole only where there was none: taking it back removes the map as well.
        bare = isinstance(patch, list) and any(isinstance(o, dict) and o.get("path") == "/metadata/annotations" for o in patch)
        back = operations(uid, _part(write.after), _part(write.before), bare=bare)
        expects: dict[str, Json] = {"uid": uid, **_part(write.after).as_json()}
        return replace(
            write,
            before=write.after,
            after=write.before,
            request=self._request(str(write.request["path"]), back),
            expects=expects,
        )

    def _request(self, path: str, patch: list[Json]) -> dict[str, Json]:
        return {"method": "PATCH", "path": path, "query": {**self._params}, "patch": patch}

    def _write_back(self, deployments: Sequence[Deployment]) -> tuple[tuple[Write, ...], str]:
        writes, words, rolling = [], [], []
        for deployment in deployments:
            try:
                after = Part(homeward(deployment))
            except Impossible as fault:
                words.append(str(fault))
                continue
            before = Part.of(deployment.affinity, deployment.annotations)
            if not before.same(after):
                writes.append(self._write(deployment, after))
                words += [f"{part} of deployment/{deployment.name} stays as others have made it" for part in left(deployment)]
            if canonical(before.affinity) != canonical(after.affinity):
                rolling.append(deployment)
                words += [f"deployment/{deployment.name} is paused and rolls only when resumed"] if deployment.paused else []
        return tuple(writes), "; ".join([rolls(rolling), *words] if writes else words)


def _find(state: Placement, ref: Ref) -> Deployment:
    deployment = state.deployments.get(ref)
    if deployment is None:
        raise Impossible(
            f"{ref} is not one of the workloads that this lever moves; a phase must name it under set.affinity.workload"
        )
    return deployment


def _only_stamped(deployment: Deployment) -> bool:
    return EPOCH in deployment.annotations and not any(key in deployment.annotations for key in OURS)


def _demand(write: Write, live: Live) -> None:
    if live.uid != write.expects["uid"]:
        raise Drift(f"{write.target}: it was deleted and made again (another UID); nothing was written; plan again")
    expected = _part(write.expects)
    if live.part.same(expected):
        return
    found = first_difference(expected.affinity, live.part.affinity, "spec.template.spec.affinity")
    found = found or first_difference({**expected.annotations}, {**live.part.annotations}, "metadata.annotations")
    who = f" (last written by {live.owner})" if live.owner else ""
    raise Drift(f"{write.target}: {found}{who}; nothing was written; plan again")


def _part(value: object) -> Part:
    return Part.from_json(value if isinstance(value, Mapping) else {})
