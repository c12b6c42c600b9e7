"""The playbook's `portability`, as it is written: what the audit must find before the first phase, and what is waived."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cockpit.playbook.fields import Day, Line, Part
from cockpit.playbook.schema_surfaces import Surfaces


class Waiver(Part):
    """A written exception from the portability gate."""

    component: Line = Field(
        description="The row of the portability matrix, as `cockpit audit` writes it; an image without tag or digest is meant in "
        "every version, one with a tag also where that tag is pinned by a digest.",
        examples=["image/registry.example.com/legacy/hsm-client"],
    )
    reason: Line = Field(description="Why it may wait.", examples=["rebuilt, waiting for release 4.2"])
    owner: Line = Field(description="Who answers for it.", examples=["team-hsm"])
    expires: Day = Field(description="The last day on which it counts, to its end in UTC.", examples=["2026-12-15"])


class Portability(Part):
    """The gate before the first phase."""

    require: Literal["green", "waived_ok", "off"] = Field(
        default="off",
        description="Before the first phase the audit must be green: every row PASS, no waiver helps; or waived_ok: what does "
        'not pass is waived below. "off", in its quotes: nothing is required.',
        examples=["waived_ok"],
    )
    waivers: list[Waiver] = Field(
        default=[], max_length=200, description="Exceptions, which waived_ok accepts until they expire and green does not."
    )
    aws: Surfaces | None = Field(default=None, description="The AWS surfaces around the tier that the audit looks at.")
