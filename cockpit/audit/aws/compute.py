"""What EC2 says of AMIs, instance types and launch templates; each is asked for once an audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.operations import IMAGES, INSTANCE_TYPES, TEMPLATE_VERSIONS
from cockpit.rules.portability.aws.launches import Launch
from cockpit.text import clean

_A_CALL = 100


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be started: an AMI's id and instance types, as they are written. `by_attributes`: AWS chooses the types."""

    ami: str = ""
    types: tuple[str, ...] = ()
    by_attributes: bool = False


class Compute:
    """EC2's facts, kept for the whole audit."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._images: dict[str, tuple[str, str]] = {}
        self._types: dict[str, tuple[str, ...]] = {}

    async def template(self, spec: Mapping[str, Any], version: str = "") -> Start:
        """The start in a version of a launch template, that which `spec` (as Auto Scaling and EKS write it) says by itself."""
        key = "LaunchTemplateId" if (named := spec.get("LaunchTemplateId") or spec.get("id")) else "LaunchTemplateName"
        name = named or spec.get("LaunchTemplateName") or spec.get("name") or ""
        wanted = version or str(spec.get("Version") or spec.get("version") or "$Default")
        answer = await self._aws.ask(TEMPLATE_VERSIONS, **{key: name, "Versions": [wanted], "ResolveAlias": True})
        found: Sequence[Mapping[str, Any]] = answer.get("LaunchTemplateVersions") or ()
        return start((found[0].get("LaunchTemplateData") or {}) if found else {})

    async def launches(self, start: Start, ami_arch: str = "") -> list[Launch]:
        """The ways to start instances, with architectures. `ami_arch` where it is known without the AMI, as by an AMI type."""
        arch, why = (ami_arch, "") if ami_arch else await self._image(start.ami)
        if not start.types:
            lost = "" if start.by_attributes else "no instance type is named"
            return [Launch(start.ami, arch, why=why or lost)]
        known = await self.archs(start.types)
        return [Launch(start.ami, arch, t, known[t], why or ("" if known[t] else _no_type(t))) for t in start.types]

    async def archs(self, types: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """The architectures of each instance type; empty for one that this Region does not have."""
        wanted = list(dict.fromkeys(types))
        asked = [t for t in wanted if t not in self._types]
        for at in range(0, len(asked), _A_CALL):
            some = asked[at : at + _A_CALL]
            # By filter: a type that does not exist fails a call that names it.
            found = await self._aws.everything(
                INSTANCE_TYPES, "InstanceTypes", Filters=[{"Name": "instance-type", "Values": some}]
            )
            told = {str(one.get("InstanceType")): _supported(one) for one in found}
            self._types |= {one: told.get(one, ()) for one in some}
        return {t: self._types[t] for t in wanted}

    async def _image(self, ami: str) -> tuple[str, str]:
        """An AMI's architecture and why it is not known."""
        if not ami:
            return "", "no AMI is named"
        if not ami.startswith("ami-"):
            return "", f"its AMI is the parameter {clean(ami, 200)}, which was not resolved"
        if ami not in self._images:
            filters = [{"Name": "image-id", "Values": [ami]}]
            answer = await self._aws.ask(IMAGES, Filters=filters, IncludeDeprecated=True)
            found: Sequence[Mapping[str, Any]] = answer.get("Images") or ()
            told = clean(str(found[0].get("Architecture") or ""), 40) if found else ""
            lost = "names no architecture" if found else "does not exist here, or may not be seen"
            self._images[ami] = told, "" if told else f"{clean(ami, 80)} {lost}"
        return self._images[ami]


def start(data: Mapping[str, Any]) -> Start:
    """The start that a template's data or a launch configuration describes."""
    one = str(data.get("InstanceType") or "")
    return Start(str(data.get("ImageId") or ""), (clean(one, 80),) if one else (), bool(data.get("InstanceRequirements")))


def _supported(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(clean(str(a), 40) for a in (found.get("ProcessorInfo") or {}).get("SupportedArchitectures") or ())


def _no_type(name: str) -> str:
    return f"{name} is not offered in this Region"
