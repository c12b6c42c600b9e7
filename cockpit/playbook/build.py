"""A playbook that passed every check -> the model that rules, levers and the run read."""

from __future__ import annotations

from cockpit.model import playbook as model
from cockpit.model import signal
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ref
from cockpit.model.finding import FindingKind
from cockpit.model.surfaces import Surfaces
from cockpit.playbook import build_metrics, build_surfaces, names, schema, schema_portability, units
from cockpit.playbook.checks import AgentsAbort, AgentsGate, FindingAbort, NativeGate, ShareGate, SignalAbort, SignalGate
from cockpit.playbook.fields import Part
from cockpit.playbook.schema_metrics import Metrics
from cockpit.text import clean

_Signals = dict[str, signal.Signal]


def build(spec: schema.Playbook, source: str) -> model.Playbook:
    """The model of `spec`: defaults applied to phases, durations in seconds, shares from 0 to 1. `source` is the file."""
    metrics = spec.metrics or Metrics()
    target = _target(spec.target)
    signals = build_metrics.signals(metrics, target)
    alb = spec.traffic.alb if spec.traffic else None
    rollback = spec.rollback or schema.Rollback()
    return model.Playbook(
        metadata=_metadata(spec.metadata),
        target=target,
        phases=tuple(_phase(phase, spec.defaults or schema.Defaults(), target, signals) for phase in spec.phases),
        alb=_alb(alb) if alb else None,
        prometheus=build_metrics.prometheus(metrics.prometheus) if metrics.prometheus else None,
        cloudwatch=build_metrics.cloudwatch(metrics.cloudwatch, alb) if metrics.cloudwatch and alb else None,
        signals=signals,
        agents=tuple(_agent(agent) for agent in spec.agents),
        portability=_portability(spec.portability or schema_portability.Portability(), build_surfaces.surfaces(spec)),
        registries={name: registry.endpoint for name, registry in spec.registries.items()},
        probes=model.Probes(spec.probes.exec if spec.probes else False),
        rollback_order=tuple(rollback.order),
        source=source,
        prices=build_metrics.prices(spec.prices),
    )


def _metadata(metadata: schema.Metadata) -> model.Metadata:
    return model.Metadata(metadata.name, clean(metadata.description), clean(metadata.owner), clean(metadata.runbook))


def _target(target: schema.Target) -> model.Target:
    baseline, canary = target.workloads.baseline, target.workloads.canary
    return model.Target(
        namespace=target.namespace,
        baseline=_workload(baseline, target.namespace),
        canary=_workload(canary, target.namespace) if canary else None,
        context=target.context,
        cluster_uid=target.cluster_uid,
        gitops=target.gitops,
        from_arch=Arch(target.from_),
        to_arch=Arch(target.to),
    )


def _workload(text: str, namespace: str) -> Ref:
    kind, _, name = text.partition("/")
    return Ref(kind, namespace, name)


def _alb(alb: schema.Alb) -> model.Alb:
    return model.Alb(
        region=alb.region,
        target_groups={Arch.AMD64: alb.target_groups.amd64, Arch.ARM64: alb.target_groups.arm64},
        listeners=tuple(alb.listeners),
        rules=tuple(alb.rules),
        account=alb.account,
        endpoint_url=alb.endpoint_url,
        ingress=_ingress(alb.ingress) if alb.ingress else None,
    )


def _ingress(ingress: schema.IngressAction) -> model.IngressAction:
    named = ingress.services
    services = {Arch.AMD64: named.amd64, Arch.ARM64: named.arm64} if named else {}
    return model.IngressAction(ingress.name, ingress.action, services)


def _agent(agent: schema.Agent) -> model.Agent:
    namespace, _, name = agent.daemonset.partition("/")
    daemonset, signed = Ref("daemonset", namespace, name), agent.certified
    if signed is None:
        return model.Agent(daemonset)
    return model.Agent(daemonset, tuple(signed.images), clean(signed.signed_off_by), names.iso_date(signed.on))


def _portability(portability: schema_portability.Portability, aws: Surfaces | None) -> model.Portability:
    waivers = tuple(
        model.Waiver(clean(w.component), clean(w.reason), clean(w.owner), names.iso_date(w.expires)) for w in portability.waivers
    )
    return model.Portability(portability.require, waivers, aws)


def _phase(phase: schema.Phase, defaults: schema.Defaults, target: model.Target, signals: _Signals) -> model.Phase:
    weights, affinity = phase.set.weights, phase.set.affinity
    gates = defaults.gates if phase.gates is None else phase.gates
    abort = defaults.abort if phase.abort is None else phase.abort
    return model.Phase(
        name=phase.name,
        soak=units.duration(phase.soak),
        weights=model.WeightsSet({Arch.AMD64: weights.amd64, Arch.ARM64: weights.arm64}) if weights else None,
        affinity=_affinity(affinity, target) if affinity else None,
        gates=tuple(_check(gate, signals) for gate in gates),
        abort=tuple(_check(trigger, signals) for trigger in abort),
        promote=model.Promote(phase.promote or defaults.promote),
        on_abort=model.OnAbort(phase.on_abort or defaults.on_abort),
    )


def _affinity(affinity: schema.Affinity, target: model.Target) -> model.AffinitySet:
    workload = target.canary if affinity.workload == "canary" and target.canary else target.baseline
    return model.AffinitySet(
        workload=workload,
        mode=model.AffinityMode(affinity.mode),
        arch=Arch(affinity.arch) if affinity.arch else target.to_arch,
        weight=100 if affinity.weight is None else affinity.weight,
    )


def _check(check: Part, signals: _Signals) -> model.Check:
    if isinstance(check, SignalGate):
        return _signal_check(check, signals[check.signal].unit)
    if isinstance(check, AgentsGate | AgentsAbort):
        return model.AgentsCheck(check.agents)
    if isinstance(check, FindingAbort):
        return model.FindingCheck(FindingKind(check.finding))
    if isinstance(check, ShareGate):
        return model.ShareCheck(units.share(check.within))
    return model.NativeCheck(hint_below=units.share(check.hint_below)) if isinstance(check, NativeGate) else model.RollbackCheck()


def _signal_check(check: SignalGate, unit: signal.Unit) -> model.SignalCheck:
    return model.SignalCheck(
        signal=check.signal,
        max=None if check.max is None else units.limit(check.max, unit),
        min=None if check.min is None else units.limit(check.min, unit),
        max_drift=None if check.max_drift is None else units.percent(check.max_drift),
        min_samples=check.min_samples,
        for_seconds=units.duration(check.for_) if isinstance(check, SignalAbort) else 0.0,
    )
