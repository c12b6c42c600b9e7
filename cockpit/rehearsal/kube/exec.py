"""The exec subresource over a websocket, as API servers serve it: for the few commands that the world's containers know."""

from __future__ import annotations

import json

from aiohttp import web

from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_request
from cockpit.rehearsal.kube.hooks import Hooks
from cockpit.rehearsal.kube.storage import Storage

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _ERROR = b"\x01", b"\x02", b"\x03"


async def execute(request: web.Request, storage: Storage, call: Call, hooks: Hooks) -> web.StreamResponse:
    """Upgrade, run, tell the end. KubeError before the upgrade for a container that cannot run anything."""
    pod = storage.get("pods", call.info.namespace, call.info.name)
    command = request.query.getall("command", [])
    container = call.query.get("container", "") or pod["spec"]["containers"][0]["name"]
    if not command:
        raise bad_request("you must specify at least one command for the container")
    statuses = pod.get("status", {}).get("containerStatuses") or []
    if not any(s["name"] == container and "running" in s["state"] for s in statuses):
        raise KubeError(500, "InternalError", f'unable to upgrade connection: container not found ("{container}")')
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    code, output = hooks.execute(pod, container, command)
    await socket.send_bytes((_STDERR if code else _STDOUT) + output)
    await socket.send_bytes(_ERROR + json.dumps(_status(code)).encode())
    await socket.close()
    return socket


def _status(code: int) -> Obj:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    words = f"command terminated with non-zero exit code: exit status {code}"
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"metadata": {}, "status": "Failure", "message": words, "reason": "NonZeroExitCode", "details": {"causes": causes}}
