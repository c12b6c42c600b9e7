"""The child process that is moto's server: `python -m cockpit.rehearsal.awschild`, told by its standard input what to hold.

It prints one JSON line with its port and the ARNs that it made, and ends when its standard input does: so it cannot outlive
the world that started it. In a process of its own because moto is heavy to import and keeps its state in module globals.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

REGIONS = (
    *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)


def import_light() -> None:
    """Import moto's load-balancer backend without what costs half of its start.

    moto reads every Region's table of EC2 instance types and, three times, the whole service description of EC2; a world of
    target groups needs neither.
    """
    import boto3
    import moto.utilities.utils as utils

    def regions(_session: object, _service: str, partition_name: str = "aws", **_more: object) -> list[str]:
        return list(REGIONS) if partition_name == "aws" else []

    full, listed = utils.load_resource, boto3.Session.get_available_regions
    utils.load_resource = _nothing
    boto3.Session.get_available_regions = regions  # type: ignore[method-assign,assignment]
    try:
        import moto.elbv2.responses  # noqa: F401 (so that the first request need not)
    finally:
        utils.load_resource = full
        boto3.Session.get_available_regions = listed  # type: ignore[method-assign]


def _nothing(resource: str) -> Any:  # noqa: ARG001 (stands in for moto's load_resource)
    return {}


def make_server() -> Any:
    """moto's WSGI application on a free port of loopback."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server as serve

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    application = DomainDispatcherApplication(create_backend_app)
    return serve("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Serve until standard input ends."""
    import_light()
    from cockpit.rehearsal.awsseed import Order, seed

    server = make_server()
    order = Order(**json.loads(sys.stdin.readline()))
    made = seed(order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(json.dumps({"port": server.server_port, **made}), flush=True)  # noqa: T201 (the parent reads it)
    server.serve_forever()


if __name__ == "__main__":
    main()
