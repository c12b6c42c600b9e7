"""An Ingress and the rules that its controller makes of it: what is annotated, what follows, what was before. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cockpit.errors import Impossible
from cockpit.levers.ingress_action import PREFIX, Names, others_in, weights_in
from cockpit.levers.ingress_patch import ORIGINAL
from cockpit.levers.weights_actions import label
from cockpit.levers.weights_balance import STACK, Balance, is_set, mark, share_in_words
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ingress
from cockpit.model.json import Json, canonical, digest
from cockpit.model.managed import UNKNOWN, writer
from cockpit.model.plan import Mark, Proof, Reading
from cockpit.model.playbook import Alb, IngressAction, WeightsSet
from cockpit.model.share import Rule
from cockpit.text import clean

GROUP = "alb.ingress.kubernetes.io/group.name"
_RECORD = re.compile(r"(?P<action>\S+) amd64=(?P<amd64>[0-9]{1,3}) arm64=(?P<arm64>[0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an action stands: an Ingress in a namespace, and its annotation."""

    namespace: str
    ingress: IngressAction

    @property
    def path(self) -> str:
        """The Ingress in the API."""
        return f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/ingresses/{self.ingress.name}"

    @property
    def key(self) -> str:
        """The annotation."""
        return PREFIX + self.ingress.action

    @property
    def label(self) -> str:
        """A short name for people."""
        return f"ingress/{self.ingress.name}"

    @property
    def what(self) -> str:
        """The action in words."""
        return f"{self.label}: its annotation {self.key}"

    def record(self, weights: Mapping[Arch, int]) -> str:
        """The annotation that keeps weights: the action and both of them."""
        return f"{self.ingress.action} amd64={weights[Arch.AMD64]} arm64={weights[Arch.ARM64]}"

    def recorded(self, text: str) -> dict[Arch, int]:
        """The weights that it keeps. Impossible when it is damaged, or another action's."""
        found = _RECORD.fullmatch(text)
        if found is None or found["action"] != self.ingress.action:
            raise Impossible(
                f"{self.label}: its annotation {ORIGINAL} ({clean(text, 80)!r}) does not give back the weights of the action "
                f"{self.ingress.action}; set them by hand (kubectl edit ingress) and remove the annotation"
            )
        return {arch: int(found[arch.value]) for arch in Arch}


@dataclass(frozen=True, slots=True)
class Routed:
    """The Ingress, and the rules that forward to both target groups with the targets' health. `live`: it is as of now."""

    ingress: Ingress
    balance: Balance
    live: bool = True


def as_rule(name: str, weights: Mapping[Arch, int], others: Mapping[str, int], alb: Alb) -> Rule:
    """The action as the rule that the controller would make of it, for shares and health."""
    known = {alb.target_groups[arch]: weight for arch, weight in weights.items()}
    groups: list[Json] = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in {**known, **others}.items()]
    return Rule(name, False, ({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}},))


def owned(state: Routed, namespace: str) -> tuple[Rule, ...]:
    """The rules with the controller's tags for this Ingress, or for the group of Ingresses that it is in."""
    stack = state.ingress.annotations.get(GROUP) or f"{namespace}/{state.ingress.name}"
    return tuple(rule for rule in state.balance.rules if rule.tags.get(STACK) == stack)


def reading(state: Routed, desired: WeightsSet | None, alb: Alb, names: Names, place: Place) -> Reading:
    """What is intended, annotated and followed. CONTRADICTED when that is not annotated; PROVEN when all rules follow."""
    arm, rules = alb.target_groups[Arch.ARM64], owned(state, place.namespace)
    followed = " / ".join(dict.fromkeys(share_in_words(rule, arm) for rule in rules)) or "no rule"
    text = state.ingress.annotations.get(place.key, "")
    try:
        now = {arch: found.weight for arch, found in weights_in(text, names, place.what).items()}
        others = others_in(text, names, place.what)
        wanted = {**desired.weights} if desired else _home(state.ingress, now, place)
    except Impossible as fault:
        said = "original" if desired is None else f"{float(desired.share):.4g}"
        marks = (_mark(state.ingress, "unreadable", place), *_rules(rules, None, alb))
        return Reading("weights", said, f"unreadable; rules {followed}", "", Proof.CONTRADICTED, str(fault), marks)
    intended, annotated = (share_in_words(as_rule("", of, others, alb), arm) for of in (wanted, now))
    words = ", ".join(f"{arch} {now[arch]}" for arch in reversed(Arch))
    marks = (_mark(state.ingress, words, place), *_rules(rules, now, alb))
    proof, why = _proof(state, rules, wanted, now, alb)
    return Reading("weights", intended, f"annotated {annotated}, rules {followed}", "", proof, why, marks)


def written_by(ingress: Ingress, key: str) -> str:
    """Whoever else wrote the annotation last; empty when that is not known."""
    return str(writer(ingress.managers, ("f:metadata", "f:annotations", f"f:{key}")) or "")


def _proof(
    state: Routed, rules: tuple[Rule, ...], wanted: Mapping[Arch, int], now: Mapping[Arch, int], alb: Alb
) -> tuple[Proof, str]:
    if dict(wanted) != dict(now):
        return Proof.CONTRADICTED, "the annotation is not as intended"
    if not rules:
        return Proof.UNPROVEN, state.balance.why or "no rule with the tags of this Ingress has both target groups"
    weights = {alb.target_groups[arch]: weight for arch, weight in now.items()}
    behind = [label(rule) for rule in rules if not is_set(rule, weights)]
    if behind:
        return Proof.UNPROVEN, f"waiting for the AWS Load Balancer Controller: {', '.join(behind)} not as annotated yet"
    return (Proof.PROVEN, "") if state.live else (Proof.UNPROVEN, "the Ingress was not heard of lately")


def _home(ingress: Ingress, now: Mapping[Arch, int], place: Place) -> dict[Arch, int]:
    kept = ingress.annotations.get(ORIGINAL)
    return dict(now) if kept is None else place.recorded(kept)


def _mark(ingress: Ingress, words: str, place: Place) -> Mark:
    text, kept = ingress.annotations.get(place.key), ingress.annotations.get(ORIGINAL)
    value = canonical([text, kept])
    told = words if kept else f"{words}, without the record of the original"
    return Mark(place.label, value, f"{told} [{digest(value)[:6]}]", written_by(ingress, place.key) or UNKNOWN)


def _rules(rules: tuple[Rule, ...], now: Mapping[Arch, int] | None, alb: Alb) -> tuple[Mark, ...]:
    """The rules' marks; one that does not follow yet is no change by others."""
    weights = {alb.target_groups[arch]: weight for arch, weight in now.items()} if now is not None else {}
    made = [(mark(rule, alb.target_groups, keeps=False), rule) for rule in rules]
    return tuple(m if weights and is_set(rule, weights) else replace(m, value="") for m, rule in made)
