"""The program's shape, field by field, as it is written."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import Field

from cockpit.playbook.fields import Day, Label, Line, Part
from cockpit.playbook.jsonschema import described
from cockpit.playbook.schema import Metadata

ID = "urn:cockpit:program:v1"


class Done(Part):
    """A sign-off for a tier that no playbook moves, as functions, caches and databases."""

    by: Line = Field(description="Who says that it is moved.", examples=["team-data"])
    on: Day = Field(description="When.", examples=["2026-11-01"])


class Tier(Part):
    """One step of the program."""

    name: Label = Field(description="A DNS-1123 label, used once.", examples=["stateless"])
    description: str = Field(default="", max_length=300, description="One sentence for people.", examples=["The payments API"])
    playbooks: list[Line] = Field(
        default=[],
        max_length=50,
        description="Playbook files, from this file's folder, or names of bundled ones. Left out: it is moved by other means.",
        examples=[["rehearsal.yaml"]],
    )
    after: list[Label] | None = Field(
        default=None,
        max_length=50,
        description="Tiers above it that must be complete before it starts. Left out: the one right above; [] for none.",
        examples=[["dev", "batch"]],
    )
    done: Done | None = Field(default=None, description="That it is moved, on whose word. Only without playbooks.")


class EarlyStart(Part):
    """A written exception: a tier may start although one that it depends on is not complete."""

    tier: Label = Field(description="The tier that may start.", examples=["stateless"])
    before: Label = Field(description="The tier that it need not wait for.", examples=["lambda"])
    reason: Line = Field(description="Why it need not.", examples=["no function of this estate has native code"])
    owner: Line = Field(description="Who answers for it.", examples=["team-payments"])
    expires: Day = Field(description="The last day on which it counts.", examples=["2026-12-15"])


class Program(Part):
    """The tiers of an estate, in the order in which they are moved."""

    api_version: Literal["cockpit/v1"] = Field(alias="apiVersion", description="Always cockpit/v1.", examples=["cockpit/v1"])
    kind: Literal["Program"] = Field(description="Always Program.", examples=["Program"])
    metadata: Metadata = Field(description="Who and what the program is for.")
    tiers: list[Tier] = Field(min_length=1, max_length=50, description="The tiers, the smallest blast radius first.")
    waivers: list[EarlyStart] = Field(default=[], max_length=200, description="Tiers that may start early.")


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a program: its form. Meaning is checked by the loader."""
    return described(Program, ID, "Cutover Cockpit program")
