"""Objects that are alike, in a row of slots: the nodes of one kind, the pods of one controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zlib import crc32

from cockpit.rehearsal.crowd.names import Suffixes
from cockpit.rehearsal.crowd.rows import Phase, Row
from cockpit.rehearsal.crowd.template import Template, digits, stamp, uid
from cockpit.rehearsal.kube.duration import human
from cockpit.rehearsal.kube.errors import Obj

_OCTET = 0xFF


class Group(Protocol):
    """What a collection asks of its groups. Slots `first` to `first + count - 1` are its own, in the order of their names."""

    @property
    def namespace(self) -> str:
        """Empty for nodes."""
        ...

    @property
    def prefix(self) -> str:
        """What all its names begin with."""
        ...

    @property
    def first(self) -> int:
        """Its first slot."""
        ...

    @property
    def count(self) -> int:
        """How many slots it has."""
        ...

    @property
    def labels(self) -> dict[str, str] | None:
        """The labels that all of them have; None where each has its own."""
        ...

    @property
    def alike(self) -> dict[int, list[Any]]:
        """By phase, the cells of the row of one of them in a Table, once somebody has asked."""
        ...

    def name(self, row: Row) -> str:
        """The name of the object in a slot."""
        ...

    def cells(self, row: Row, now: datetime) -> dict[int, str]:
        """Those cells of its row, by column, that are its own."""
        ...

    def body(self, row: Row) -> bytes:
        """Its JSON without kind and apiVersion."""
        ...

    def brief(self, row: Row) -> Obj:
        """As much of it as selectors ask for."""
        ...


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """The nodes of one kind: one subnet, 10.`subnet`, with addresses in the order of their names."""

    first: int
    count: int
    subnet: int
    region: str
    seed: int
    template: Template
    own: dict[str, str]
    """Their labels but for the host name."""
    addresses: Sequence[int]
    namespace: str = ""
    labels: dict[str, str] | None = None
    alike: dict[int, list[Any]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The subnet."""
        return f"ip-10-{self.subnet}-"

    def address(self, slot: int) -> str:
        """The address of the node in a slot."""
        number = self.addresses[slot - self.first]
        return f"10.{self.subnet}.{number >> 8}.{number & _OCTET}"

    def host(self, slot: int) -> str:
        """The name of the node in a slot."""
        return f"ip-{self.address(slot).replace('.', '-')}.{self.region}.compute.internal"

    def name(self, row: Row) -> str:
        """As EKS names it."""
        return self.host(row.slot)

    def body(self, row: Row) -> bytes:
        """9.6 KB."""
        text = digits(self.seed, row.slot)
        values = {
            b"name": self.name(row).encode(),
            b"host": self.address(row.slot).encode(),
            b"uid": uid(text),
            b"id": text[32:49],
            b"machine": text[64:96],
            b"version": b"%d" % row.number,
            b"born": stamp(row.born),
            b"when": stamp(row.when),
        }
        return self.template.fill(values)

    def cells(self, row: Row, now: datetime) -> dict[int, str]:
        """Its name, age and address."""
        return {0: self.name(row), 3: _age(row, now), 5: self.address(row.slot)}

    def brief(self, row: Row) -> Obj:
        """Its name and labels: a node of the crowd is never cordoned."""
        name = self.name(row)
        return {"metadata": {"name": name, "labels": {**self.own, "kubernetes.io/hostname": name}}, "spec": {}}


class Hosts(Protocol):
    """The nodes that pods are on, by number."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def at(self, number: int) -> tuple[str, str]:
        """Name and address of a node."""
        ...


@dataclass(frozen=True, slots=True)
class PodGroup:
    """The pods of one controller, placed over `hosts` from `start` on in steps that reach every node before any twice."""

    namespace: str
    prefix: str
    first: int
    count: int
    seed: int
    labels: dict[str, str] | None
    ready: Template
    unready: Template
    spec: Obj
    """What field selectors may ask of their spec."""
    hosts: Hosts
    start: int
    step: int
    suffixes: Suffixes = field(init=False)
    alike: dict[int, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "suffixes", Suffixes(self.count, self.seed + crc32(self.prefix.encode())))

    def name(self, row: Row) -> str:
        """As its controller has generated it."""
        return self.prefix + self.suffixes.of(row.slot - self.first, row.generation)

    def host(self, slot: int) -> tuple[str, str]:
        """Name and address of the node that the pod in a slot is on."""
        return self.hosts.at((self.start + slot - self.first) * self.step % len(self.hosts))

    def body(self, row: Row) -> bytes:
        """As many bytes as were asked for, or a few more."""
        text = digits(self.seed, row.slot, row.generation)
        node, address = self.host(row.slot)
        values = {
            b"name": self.name(row).encode(),
            b"node": node.encode(),
            b"host": address.encode(),
            b"ip": _address(row.slot).encode(),
            b"uid": uid(text),
            b"id0": text[:64],
            b"id1": text[64:],
            b"access": text[32:37],
            b"version": b"%d" % row.number,
            b"born": stamp(row.born),
            b"when": stamp(row.when),
        }
        return (self.unready if row.phase is Phase.UNREADY else self.ready).fill(values)

    def cells(self, row: Row, now: datetime) -> dict[int, str]:
        """Its name, age, address and node."""
        node, address = self.host(row.slot)
        return {0: self.name(row), 4: _age(row, now), 5: self._ip(row.slot, address), 6: node}

    def _ip(self, slot: int, host: str) -> str:
        return host if self.spec.get("hostNetwork") else _address(slot)

    def brief(self, row: Row) -> Obj:
        """Its name, labels, node and address."""
        node, address = self.host(row.slot)
        return {
            "metadata": {"name": self.name(row), "namespace": self.namespace, "labels": self.labels},
            "spec": {**self.spec, "nodeName": node},
            "status": {"phase": "Running", "podIP": self._ip(row.slot, address)},
        }


def _age(row: Row, now: datetime) -> str:
    return human(now.timestamp() - row.born)


def _address(slot: int) -> str:
    return f"100.{64 + (slot >> 16)}.{slot >> 8 & _OCTET}.{slot & _OCTET}"
