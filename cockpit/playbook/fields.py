"""The single values of a playbook as field types: each checks itself and tells JSON Schema the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from cockpit.playbook import names, units
from cockpit.playbook.issue import Wrong, quoted

WRONG = "wrong"
"""The type of an error whose context holds `what` and `right`."""

ArchName: TypeAlias = Literal["amd64", "arm64"]


def _any(check: Callable[[Any], object]) -> BeforeValidator:
    def validate(value: object) -> object:
        try:
            check(value)
        except Wrong as wrong:
            raise PydanticCustomError(WRONG, "wrong", {"what": wrong.what, "right": wrong.right}) from None
        return value

    return BeforeValidator(validate)


def _text(check: Callable[[str], object]) -> BeforeValidator:
    return _any(lambda value: check(value) if isinstance(value, str) else None)


def _account(value: object) -> None:
    if isinstance(value, int):
        raise Wrong("an account is text: as a number it would lose leading zeros", f'write "{value:012d}" in quotes')


def _true(value: object) -> None:
    if value is not True:  # to the schema library 1 equals true
        raise Wrong(f"{quoted(value).lower()} is not allowed here", "write true")


def _shaped(shape: names.Shape) -> dict[str, Any]:
    return {"pattern": shape.pattern}


Line: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Label: TypeAlias = Annotated[str, _text(names.LABEL.check), Field(json_schema_extra=_shaped(names.LABEL))]
Workload: TypeAlias = Annotated[str, _text(names.workload), Field(json_schema_extra=_shaped(names.WORKLOAD))]
DaemonSet: TypeAlias = Annotated[str, _text(names.daemonset), Field(json_schema_extra=_shaped(names.DAEMONSET))]
SignalName: TypeAlias = Annotated[str, _text(names.SIGNAL.check), Field(json_schema_extra=_shaped(names.SIGNAL))]
RegistryName: TypeAlias = Annotated[str, _text(names.REGISTRY.check), Field(json_schema_extra=_shaped(names.REGISTRY))]
Region: TypeAlias = Annotated[str, _text(names.REGION.check), Field(json_schema_extra=_shaped(names.REGION))]
Account: TypeAlias = Annotated[str, _any(_account), _text(names.ACCOUNT.check), Field(json_schema_extra=_shaped(names.ACCOUNT))]
Uid: TypeAlias = Annotated[str, _text(names.UID.check), Field(json_schema_extra=_shaped(names.UID))]
TargetGroup: TypeAlias = Annotated[str, _text(names.TARGET_GROUP.check), Field(json_schema_extra=_shaped(names.TARGET_GROUP))]
Listener: TypeAlias = Annotated[str, _text(names.LISTENER.check), Field(json_schema_extra=_shaped(names.LISTENER))]
Rule: TypeAlias = Annotated[str, _text(names.RULE.check), Field(json_schema_extra=_shaped(names.RULE))]
Url: TypeAlias = Annotated[str, _text(names.url), Field(json_schema_extra=_shaped(names.URL))]
Day: TypeAlias = Annotated[str, _text(names.iso_date), Field(json_schema_extra=_shaped(names.DATE))]
Query: TypeAlias = Annotated[str, _text(names.query), Field(max_length=8192, json_schema_extra={"pattern": r"\{\{arch\}\}"})]
LoadBalancer: TypeAlias = Annotated[str, _text(names.LOAD_BALANCER.check), Field(json_schema_extra=_shaped(names.LOAD_BALANCER))]
PromLabel: TypeAlias = Annotated[str, _text(names.PROM_LABEL.check), Field(json_schema_extra=_shaped(names.PROM_LABEL))]
PromMetric: TypeAlias = Annotated[str, _text(names.PROM_METRIC.check), Field(json_schema_extra=_shaped(names.PROM_METRIC))]
LabelValue: TypeAlias = Annotated[str, _text(names.label_value), Field(max_length=200)]
ActionName: TypeAlias = Annotated[str, _text(names.ACTION.check), Field(json_schema_extra=_shaped(names.ACTION))]
IngressName: TypeAlias = Annotated[str, _text(names.INGRESS.check), Field(json_schema_extra=_shaped(names.INGRESS))]
InstanceType: TypeAlias = Annotated[str, _text(names.INSTANCE_TYPE.check), Field(json_schema_extra=_shaped(names.INSTANCE_TYPE))]
Currency: TypeAlias = Annotated[str, _text(names.CURRENCY.check), Field(json_schema_extra=_shaped(names.CURRENCY))]
Price: TypeAlias = Annotated[
    int | float, _any(units.price), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": units.DEAREST})
]
Duration: TypeAlias = Annotated[str, _any(units.duration), Field(json_schema_extra={"pattern": units.DURATION})]
Share: TypeAlias = Annotated[str, _any(units.share), Field(json_schema_extra={"pattern": units.SHARE})]
Drift: TypeAlias = Annotated[str, _any(units.percent), Field(json_schema_extra={"pattern": units.PERCENT})]
Limit: TypeAlias = Annotated[
    int | float | str,
    _any(units.any_limit),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "pattern": units.PERCENT},
                {"type": "string", "pattern": units.SECONDS},
            ]
        }
    ),
]
Yes: TypeAlias = Annotated[Literal[True], _any(_true)]
Weight: TypeAlias = Annotated[int, Field(ge=0, le=999)]


class Part(BaseModel):
    """What all parts share: no unknown keys, and no value is taken for another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
