"""CodeBuild environments: built on Arm, with an image for Arm.

Source: AWS CodeBuild User Guide, "Build environment compute modes and types" and "Docker images provided by CodeBuild".
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.verdict import Place, Verdict

_OWN = "aws/codebuild/"
_ARM_IMAGES = ("aarch64", "arm64")


@dataclass(frozen=True, slots=True)
class Environment:
    """A project's build environment: `LINUX_CONTAINER`, `ARM_CONTAINER` and so on, and the image that builds run in."""

    kind: str
    image: str = ""


def judge_build(found: Environment) -> Verdict:
    """The verdict on a project."""
    arm_image = any(word in found.image for word in _ARM_IMAGES)
    known = found.image.startswith(_OWN)
    if found.kind.startswith("ARM_"):
        if known and not arm_image:
            right = "use an aarch64 image, as aws/codebuild/amazonlinux-aarch64-standard:3.0"
            return Verdict(Mark.FIX, f"{found.kind} with the x86 image {found.image}: builds do not start", right)
        said = f"{found.kind}, {found.image}"
        return Verdict(
            Mark.PASS, said, notes=() if known else (f"audit the build image with --image {found.image}",), serves=Place.BUILDS
        )
    if not found.kind:
        return Verdict(Mark.UNKNOWN, "the answer names no environment type", "look at it by hand")
    if found.kind.startswith("LINUX") and arm_image:
        return Verdict(Mark.FIX, f"{found.kind} with the arm64 image {found.image}", "set the type to ARM_CONTAINER")
    return Verdict(Mark.PASS, f"{found.kind}, {found.image}: builds on x86", left_behind=Place.BUILDS)
