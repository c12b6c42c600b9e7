"""Who the API server says that we are."""

from __future__ import annotations

import msgspec

from cockpit.controls.api import Api
from cockpit.errors import Unreachable
from cockpit.model.json import Json
from cockpit.text import clean

_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class _User(msgspec.Struct):
    username: str = ""


class _Status(msgspec.Struct, rename="camel"):
    user_info: _User = msgspec.field(default_factory=_User)


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


async def username(api: Api) -> str:
    """The name by which the API server knows the user of these credentials. CockpitError as the API says."""
    asked: dict[str, Json] = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    raw = await api.ask(_PATH, asked)
    try:
        return clean(msgspec.json.decode(raw, type=_Review).status.user_info.username, 200)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"what the API server sent is no SelfSubjectReview: {clean(str(error), 200)}") from None
