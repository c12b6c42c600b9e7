"""Questions of a user about itself: may I, what may I, who am I."""

from __future__ import annotations

from cockpit.rehearsal.kube.authz import access_review, rules_review
from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.causes import wrong
from cockpit.rehearsal.kube.errors import Obj, invalid


def review(call: Call) -> Obj:
    """POST of a self subject review of any kind: the body with its status."""
    body = call.shaped(call.kind.kind)
    spec = body.get("spec") or {}
    head = {"kind": call.kind.kind, "apiVersion": call.kind.api_version, "metadata": {}}
    if call.kind.name == "selfsubjectaccessreviews":
        _check(call, spec)
        return {**head, "spec": spec, "status": access_review(call.user, spec)}
    if call.kind.name == "selfsubjectrulesreviews":
        return {**head, "spec": {}, "status": rules_review(call.user)}
    return {**head, "status": {"userInfo": {"username": call.user.name, "groups": list(call.user.groups)}}}


def _check(call: Call, spec: Obj) -> None:
    """KubeError 422 unless it asks either about a resource or about a path."""
    resource, url = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    cause = None
    if resource is None and url is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        cause = wrong("spec.resourceAttributes", None, why)
    elif resource is not None and url is not None:
        shown = {"Path": url.get("path", ""), "Verb": url.get("verb", "")}
        cause = wrong("spec.nonResourceAttributes", shown, "cannot be specified in combination with resourceAttributes")
    if cause:
        raise invalid("", call.kind.group, "", [cause])
