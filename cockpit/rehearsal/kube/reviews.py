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
    head = {"kind": call.kind.kind, "apiVersion": call.kind.api_version, "metadata": {"creationTimestamp": None}}
    if call.kind.name == "selfsubjectaccessreviews":
        if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
            why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            raise invalid("", call.kind.group, "", [wrong("spec.resourceAttributes", spec.get("resourceAttributes"), why)])
        return {**head, "spec": spec, "status": access_review(call.user, spec)}
    if call.kind.name == "selfsubjectrulesreviews":
        return {**head, "spec": {}, "status": rules_review(call.user)}
    return {**head, "status": {"userInfo": {"username": call.user.name, "groups": list(call.user.groups)}}}
