"""Refusals of the API server, worded as the real one words them (apimachinery's api/errors)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

Obj: TypeAlias = dict[str, Any]
"""A wire-shaped object: apiVersion, kind, metadata, spec, status."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of an Invalid: `reason` is FieldValueRequired and the like, `field` a path such as `spec.replicas`."""

    reason: str
    message: str
    field: str = ""


class KubeError(Exception):
    """A refusal: becomes a `Status` object with HTTP `code`. `retry_after` is in seconds of wall time."""

    def __init__(
        self, code: int, reason: str, message: str, *, details: Obj | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.continue_token = ""
        self.details = dict(details) if details is not None else None
        if retry_after:
            self.details = {**(self.details or {}), "retryAfterSeconds": retry_after}

    def status(self) -> Obj:
        """The `Status` object."""
        meta = {"continue": self.continue_token} if self.continue_token else {}
        body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": meta, "status": "Failure", "message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def qualified(resource: str, group: str) -> str:
    """`deployments.apps`, or the bare word for the core group."""
    return f"{resource}.{group}" if group else resource


def _details(name: str, group: str, kind: str, **more: Any) -> Obj:
    return {k: v for k, v in {"name": name, "group": group, "kind": kind, **more}.items() if v}


def not_found(resource: str, group: str, name: str) -> KubeError:
    """404: no such object."""
    text = f'{qualified(resource, group)} "{name}" not found'
    return KubeError(404, "NotFound", text, details=_details(name, group, resource))


def already_exists(resource: str, group: str, name: str) -> KubeError:
    """409: an object of that name is there."""
    text = f'{qualified(resource, group)} "{name}" already exists'
    return KubeError(409, "AlreadyExists", text, details=_details(name, group, resource))


STALE_WRITE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, group: str, name: str, why: str = STALE_WRITE) -> KubeError:
    """409: somebody else wrote in between, or a precondition does not hold."""
    text = f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}'
    return KubeError(409, "Conflict", text, details=_details(name, group, resource))


def forbidden(resource: str, group: str, name: str, why: str) -> KubeError:
    """403: the user lacks a permission, or admission says no."""
    subject = f'{qualified(resource, group)} "{name}"' if name else qualified(resource, group)
    return KubeError(403, "Forbidden", f"{subject} is forbidden: {why}", details=_details(name, group, resource))


def unauthorized() -> KubeError:
    """401: the credentials are wrong or expired."""
    return KubeError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> KubeError:
    """400: the request cannot be understood."""
    return KubeError(400, "BadRequest", message)


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> KubeError:
    """422: the object breaks its rules; every broken rule is a cause."""
    listed = [f"{c.field}: {c.message}" for c in causes]
    what = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    details = _details(name, group, kind)
    details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return KubeError(422, "Invalid", f'{qualified(kind, group)} "{name}" is invalid: {what}', details=details)


def unprocessable() -> KubeError:
    """422: a JSON Patch that is well formed but does not apply (a `test` that fails, a path that is absent)."""
    return KubeError(422, "Invalid", "the server rejected our request due to an error in our request", details={})


def bad_options(kind: str, cause: Cause) -> KubeError:
    """422: a query parameter is not allowed; `kind` is ListOptions, PatchOptions and so on."""
    return invalid(kind, "meta.k8s.io", "", [cause])


def unsupported_patch() -> KubeError:
    """415: a patch of a type that is not known."""
    return KubeError(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})


def expired(message: str) -> KubeError:
    """410: a resource version or continue token from before the history that is kept."""
    return KubeError(410, "Expired", message)


def method_not_allowed() -> KubeError:
    """405: the resource has no such verb."""
    return KubeError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={})


def unsupported_media(accepted: list[str]) -> KubeError:
    """415: a body in a format that is not spoken here."""
    text = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return KubeError(415, "UnsupportedMediaType", text)


def not_acceptable(offered: list[str]) -> KubeError:
    """406: the client accepts none of what can be sent."""
    return KubeError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {', '.join(offered)}", details={})


def too_many_requests(message: str, retry_after: int | None, details: Obj | None = None) -> KubeError:
    """429: come back after that many seconds, or whenever (None)."""
    return KubeError(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", message, details=details or {}, retry_after=retry_after)
