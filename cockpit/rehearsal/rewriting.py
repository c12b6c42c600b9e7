"""The playbook as it is flown in a rehearsal: the same text, pointed at the embedded servers.

It is changed as a tree of YAML nodes, not as values: so every other scalar stays as it was written (`on`, `15m`, "0123").
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cockpit.errors import UsageError
from cockpit.model.arch import Arch
from cockpit.rehearsal.aws import Account
from cockpit.rehearsal.awsseed import ACCOUNT

CONTEXT = "rehearsal"
_MAP = "tag:yaml.org,2002:map"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where the embedded servers are. `account` is None for a playbook without a load balancer.

    `registries` are the names that the one at `registry_url` stands in for.
    """

    cluster_uid: str
    prometheus_url: str
    aws_url: str | None
    account: Account | None
    registry_url: str = ""
    registries: tuple[str, ...] = ()


def rewrite(text: str, world: Embedded) -> str:
    """`text` with context, addresses of metrics and registries, and the load balancer's account, endpoint and ARNs replaced.

    The AWS surfaces of the portability audit are left out: the world has none of those services, and nobody else's are asked.
    """
    root = yaml.compose(text, Loader=_LOADER)
    if not isinstance(root, MappingNode):
        raise UsageError("a playbook is a mapping with apiVersion, kind, metadata, target and phases")
    _target(root, world)
    metrics = _child(_child(root, "metrics"), "prometheus")
    if metrics is not None:
        _put(metrics, "url", _text(world.prometheus_url))
        _drop(metrics, "bearer_token_file")
    watched = _child(_child(root, "metrics"), "cloudwatch")
    if watched is not None and world.aws_url is not None:
        _put(watched, "endpoint_url", _text(world.aws_url))
        _drop(watched, "load_balancer")
    balancer = _child(_child(root, "traffic"), "alb")
    if balancer is not None and world.account is not None and world.aws_url is not None:
        _balancer(balancer, world.account, world.aws_url)
    _registries(root, world)
    audited = _child(root, "portability")
    if audited is not None:
        _drop(audited, "aws")
    rewritten: str = yaml.serialize(root, Dumper=_DUMPER, allow_unicode=True, width=4096)
    return rewritten


def _target(root: MappingNode, world: Embedded) -> None:
    target = _child(root, "target")
    if target is None:
        raise UsageError("a playbook needs a target")
    _put(target, "context", _text(CONTEXT))
    if _find(target, "cluster_uid") is not None:
        _put(target, "cluster_uid", _text(world.cluster_uid))


def _registries(root: MappingNode, world: Embedded) -> None:
    if not world.registries:
        return
    held = [(_text(name), _endpoint(world.registry_url)) for name in world.registries]
    _put(root, "registries", MappingNode(_MAP, held))


def _endpoint(url: str) -> MappingNode:
    # Nodes of its own each time: one that stands in two places would be written as an anchor.
    return MappingNode(_MAP, [(_text("endpoint"), _text(url))])


def _balancer(alb: MappingNode, account: Account, url: str) -> None:
    _put(alb, "account", _text(ACCOUNT))
    _put(alb, "endpoint_url", _text(url))
    if _find(alb, "ingress") is None:
        _put(alb, "listeners", _texts(account.listeners))
        _put(alb, "rules", _texts(account.rules))
    groups = MappingNode(_MAP, [(_text(a.value), _text(account.target_groups[a])) for a in Arch])
    _put(alb, "target_groups", groups)


def _child(parent: MappingNode | None, name: str) -> MappingNode | None:
    found = _find(parent, name) if parent is not None else None
    return found if isinstance(found, MappingNode) else None


def _find(parent: MappingNode, name: str) -> Node | None:
    return next((v for k, v in parent.value if isinstance(k, ScalarNode) and k.value == name), None)


def _drop(parent: MappingNode, name: str) -> None:
    parent.value = [(k, v) for k, v in parent.value if k.value != name]


def _put(parent: MappingNode, name: str, value: Node) -> None:
    for i, (key, _) in enumerate(parent.value):
        if key.value == name:
            parent.value[i] = (key, value)
            return
    parent.value.append((ScalarNode("tag:yaml.org,2002:str", name), value))


def _text(value: str) -> ScalarNode:
    return ScalarNode("tag:yaml.org,2002:str", value, style='"')


def _texts(values: tuple[str, ...]) -> SequenceNode:
    return SequenceNode("tag:yaml.org,2002:seq", [_text(v) for v in values], flow_style=not values)
