"""The API server as an aiohttp application: authentication, faults, authorization, then the handler of the verb."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from cockpit.rehearsal.kube import authz, deletion, listing, reviews, subresources, writes
from cockpit.rehearsal.kube.call import Call, request_info
from cockpit.rehearsal.kube.discovery import group_versions
from cockpit.rehearsal.kube.documents import document
from cockpit.rehearsal.kube.errors import KubeError, Obj, forbidden, method_not_allowed, not_found, unauthorized
from cockpit.rehearsal.kube.exec import execute
from cockpit.rehearsal.kube.faults import Dropped, Faults, NoFaults
from cockpit.rehearsal.kube.history import Held, Version
from cockpit.rehearsal.kube.hooks import AnnotationHooks, Hooks
from cockpit.rehearsal.kube.negotiate import encode, many, negotiate, one
from cockpit.rehearsal.kube.resources import REVIEWS, served, unknown_resource
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.kube.streaming import pieces, stream
from cockpit.rehearsal.kube.watch import Hub, Watch

_GZIP_FROM = 128 * 1024
_BODY_LIMIT = 3 * 1024 * 1024


class Api:
    """The handlers around one storage."""

    def __init__(self, storage: Storage, users: Mapping[str, authz.User], faults: Faults, hooks: Hooks) -> None:
        self.storage, self.users, self.faults, self.hooks = storage, users, faults, hooks
        self.hub = Hub(storage)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; every refusal becomes a Status object."""
        try:
            return await self._serve(request)
        except KubeError as error:
            return refusal(error)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        user = authz.authenticate(self.users, request.headers.get("Authorization", ""))
        if user is None:
            raise unauthorized()
        info = request_info(request.method, request.path, request.query, user.name)
        await self.faults.before(info)
        authz.authorize(user, info)
        if not info.resource:
            return await document(request)
        known = group_versions()
        if (info.group, info.version) not in known:
            if any(group == info.group for group, _ in known):
                raise unknown_resource()
            return web.Response(status=404, text="404 page not found\n")
        kind = served(info.group, info.version, info.resource)
        if kind.namespaced and not info.namespace and info.name and info.verb not in ("list", "watch"):
            raise unknown_resource()
        form = negotiate(request.headers.get("Accept", ""), request.query.get("includeObject", ""))
        body = await request.read() if request.can_read_body else b""
        media = request.headers.get("Content-Type", "").partition(";")[0].strip()
        agent = request.headers.get("User-Agent", "")
        return await self._dispatch(request, Call(kind, info, user, request.query, body, media, agent, form))

    async def _dispatch(self, request: web.Request, call: Call) -> web.StreamResponse:
        info = call.info
        if call.kind in REVIEWS:
            if info.verb != "create":
                raise method_not_allowed()
            return json_response(reviews.review(call), 201)
        if info.subresource == "exec" and call.kind.name == "pods" and info.verb in ("get", "create"):
            # A websocket begins with a GET; since Kubernetes 1.35 that alone does not do.
            authz.authorize(call.user, replace(info, verb="create"))
            return await execute(request, self.storage, call, self.hooks)
        if info.subresource and info.subresource != "status":
            return self._subresource(call)
        if info.verb == "watch":
            return await self._watch(request, call)
        if info.verb == "list":
            return await self._list(request, call)
        return self._single(call)

    async def _list(self, request: web.Request, call: Call) -> web.StreamResponse:
        found, now = listing.opened(self.storage, call), self.storage.clock.now()
        long = call.kind.name in self.storage.bulk
        if long and not found.limit:
            return await stream(request, pieces(call.kind, found.objects, call.form, now, found.meta))
        objects, meta = listing.page(found, selected=not call.selector.empty)
        make = (
            pieces(call.kind, iter(objects), call.form, now, meta) if long else (many(call.kind, objects, call.form, now, meta),)
        )
        return await compressed(request, b"".join(make))

    def _single(self, call: Call) -> web.Response:
        """The verbs on one object, and deletecollection."""
        verb = call.info.verb
        if verb in ("update", "patch") and not call.info.name:
            raise method_not_allowed()
        call.check_manager()
        if verb == "get":
            held = self.storage.version(call.kind.name, call.info.namespace or None, call.info.name) or self._in_bulk(call)
            wanted = listing.bare_version(call.query.get("resourceVersion", ""))
            if wanted > self.storage.resource_version:
                raise listing.too_large(wanted, self.storage.resource_version)
            if held is None:
                raise not_found(call.kind.name, call.kind.group, call.info.name)
            return json_bytes(one(call.kind, held, call.form, self.storage.clock.now()))
        if self._in_bulk(call) is not None:
            why = "it is one of the rehearsal's crowd, which takes no writes"
            raise forbidden(call.kind.name, call.kind.group, call.info.name, why)
        if verb == "create" and not call.info.name:
            return self._answer(call, writes.create(self.storage, call), 201)
        if verb == "update":
            obj, created = writes.update(self.storage, call)
            return self._answer(call, obj, 201 if created else 200)
        if verb == "patch":
            return self._answer(call, writes.patch(self.storage, call))
        if verb == "delete" and not call.info.subresource:
            return self._delete(call)
        if verb == "deletecollection":
            return self._delete_many(call)
        raise method_not_allowed()

    def _in_bulk(self, call: Call) -> Held | None:
        bulk = self.storage.bulk.get(call.kind.name)
        return bulk.find(call.info.namespace, call.info.name) if bulk is not None and call.info.name else None

    def _answer(self, call: Call, obj: Obj, status: int = 200) -> web.Response:
        meta = obj["metadata"]
        number = int(meta.get("resourceVersion") or 0)
        stored = self.storage.version(call.kind.name, meta.get("namespace"), meta["name"])
        version = stored if stored and stored.obj is obj else Version(meta.get("namespace", ""), meta["name"], number, obj)
        return json_bytes(one(call.kind, version, call.form, self.storage.clock.now()), status)

    def _delete(self, call: Call) -> web.Response:
        obj, gone = deletion.delete(self.storage, call, graceful=self.hooks.graceful)
        if not gone or call.kind.name == "pods":
            return self._answer(call, obj)
        details = {"name": call.info.name, "group": call.kind.group, "kind": call.kind.name, "uid": obj["metadata"]["uid"]}
        return json_response({**subresources.SUCCESS, "details": {k: v for k, v in details.items() if v}})

    def _delete_many(self, call: Call) -> web.Response:
        found = listing.opened(self.storage, call, own=True)
        versions, meta = listing.page(found, selected=not call.selector.empty)
        for version in versions:
            deletion.remove(self.storage, call.kind.name, version.obj, call.options(), graceful=self.hooks.graceful,
                            dry_run=call.info.dry_run)  # fmt: skip
        return json_bytes(many(call.kind, versions, call.form, self.storage.clock.now(), meta))

    def _subresource(self, call: Call) -> web.Response:
        name, verb = call.info.subresource, call.info.verb
        if name not in call.kind.subresources:
            raise unknown_resource()
        if name == "log" and verb == "get":
            return web.Response(text=subresources.log(self.storage, call, self.hooks), content_type="text/plain")
        if name == "scale" and verb in ("get", "update", "patch"):
            return json_response(subresources.scale(self.storage, call))
        if name == "eviction" and verb == "create":
            return json_response(subresources.evict(self.storage, call, self.hooks), 201)
        raise method_not_allowed()

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        watch = Watch(self.storage, self.hub, call)
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        await response.prepare(request)
        try:
            async for chunk in watch.chunks():
                if chunk:
                    await response.write(chunk)
            await response.write_eof()
        except ConnectionError:
            pass  # the client went away
        return response


def json_bytes(body: bytes, status: int = 200) -> web.Response:
    """An answer of encoded JSON."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    return web.Response(body=body + b"\n", status=status, headers=headers)


def json_response(obj: Obj, status: int = 200) -> web.Response:
    """An answer of one object."""
    return json_bytes(encode(obj), status)


def refusal(error: KubeError) -> web.Response:
    """The Status object of a refusal."""
    response = json_response(error.status(), error.code)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def compressed(request: web.Request, body: bytes) -> web.Response:
    """A list, gzipped when it is large and the client takes that."""
    if len(body) < _GZIP_FROM or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return json_bytes(body)
    packed = await asyncio.to_thread(gzip.compress, body + b"\n", 1)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return web.Response(body=packed, headers=headers)


def make_app(
    storage: Storage,
    users: Mapping[str, authz.User] | None = None,
    faults: Faults | None = None,
    hooks: Hooks | None = None,
) -> web.Application:
    """The API server around `storage`; run it with `server.serve`. Tokens, faults and kubelets can be given."""
    api = Api(storage, authz.default_users() if users is None else users, faults or NoFaults(), hooks or AnnotationHooks())
    app = web.Application(client_max_size=_BODY_LIMIT)
    app.router.add_route("*", "/{path:.*}", api.handle)

    async def close(_: web.Application) -> None:
        api.hub.close()

    app.on_shutdown.append(close)
    return app
