"""The door through which a scenario is dropped in mid-flight."""

from __future__ import annotations

from aiohttp import web

from cockpit.errors import UsageError
from cockpit.rehearsal.objects import stamp
from cockpit.rehearsal.scenarios import SCENARIOS
from cockpit.rehearsal.world import World


def make_control(world: World) -> web.Application:
    """GET /scenario lists them and names the one that is on; POST /scenario {"name": ...} changes it.

    `began` tells since when the trouble is there; null: not yet, or there is no one moment.
    """

    def shown() -> web.Response:
        listed = [{"name": e.name, "summary": e.summary, "expected": e.expected} for e in SCENARIOS.values()]
        began = stamp(world.began) if world.began else None
        return web.json_response({"scenario": world.scenario_name, "began": began, "scenarios": listed})

    async def get(_: web.Request) -> web.Response:
        return shown()

    async def post(request: web.Request) -> web.Response:
        # Only JSON: a web page in a browser on this machine cannot send that here unasked.
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        body = await request.json()
        try:
            world.drop_in(str(body.get("name", "")) if isinstance(body, dict) else "")
        except UsageError as error:
            return web.json_response({"error": str(error)}, status=400)
        return shown()

    app = web.Application()
    app.router.add_get("/scenario", get)
    app.router.add_post("/scenario", post)
    return app
