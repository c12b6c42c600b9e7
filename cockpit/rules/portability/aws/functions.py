"""Lambda functions: architecture, runtime and layers.

Source of the runtimes: AWS Lambda Developer Guide, "Lambda runtimes", with those that never had arm64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.verdict import Verdict

_X86_RUNTIMES = frozenset(
    (
        *("python2.7", "python3.6", "python3.7", "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10"),
        *("nodejs10.x", "java8", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "go1.x", "ruby2.5", "provided"),
    )
)
_SUCCESSOR = {"p": "python3.12", "n": "nodejs22.x", "j": "java21", "d": "dotnet8", "r": "ruby3.4", "g": "provided.al2023"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A version of a layer with the architectures that it declares; none is not the same as all."""

    arn: str
    archs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """What a function says of itself. `image` is set for a container image instead of a package with a runtime."""

    archs: tuple[str, ...]
    runtime: str = ""
    layers: Sequence[Layer] = ()
    image: bool = False


def judge_function(function: Function) -> Verdict:
    """The verdict on a function: on arm64, or able to get there by a change of its `Architectures`."""
    here = "arm64" in function.archs
    if wrong := [layer for layer in function.layers if layer.archs and "arm64" not in layer.archs]:
        named = ", ".join(layer.arn for layer in wrong)
        where = "runs on arm64 with" if here else "has"
        return Verdict(Mark.FIX, f"{where} layers for {' and '.join(wrong[0].archs)} alone: {named}", "rebuild them on arm64")
    if function.runtime in _X86_RUNTIMES:
        newer = _SUCCESSOR.get("g" if function.runtime == "provided" else function.runtime[0], "a newer one")
        return Verdict(Mark.FIX, f"the runtime {function.runtime} has no arm64", f"move to {newer} or later, then set arm64")
    if not function.archs:
        return Verdict(Mark.UNKNOWN, "the answer names no architecture", "look at it by hand")
    silent = [layer.arn for layer in function.layers if not layer.archs]
    return _on_arm(function, silent) if here else _on_x86(function, silent)


def _on_arm(function: Function, silent: list[str]) -> Verdict:
    what = "container image" if function.image else function.runtime
    if silent:
        said = f"arm64, {what}; layers that declare no architecture: {', '.join(silent)}"
        return Verdict(Mark.GATE, said, "see that they hold no x86 binary, and let them declare arm64")
    return Verdict(Mark.PASS, f"arm64, {what}")


def _on_x86(function: Function, silent: list[str]) -> Verdict:
    named = " and ".join(function.archs)
    if function.image:
        said = f"{named}, container image: it needs one for arm64"
        return Verdict(Mark.GATE, said, "push an arm64 image (audit it with --image), then set Architectures: [arm64]")
    more = f", and layers that declare no architecture: {', '.join(silent)}" if silent else ""
    said = f"{named}, {function.runtime}: the runtime has arm64; what the package bundles is not known{more}"
    return Verdict(Mark.GATE, said, "rebuild bundled native code on arm64, try a version behind an alias, then set [arm64]")
