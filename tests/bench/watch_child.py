"""Follows every node and pod with the official client's typed watch, for so many seconds, and says what that took, as JSON.

Run as `python -m tests.bench.watch_child KUBECONFIG CONTEXT SECONDS`. It lists nothing: watches begin at the newest version.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter

from kubernetes import client, config, watch

from tests.bench.decode_child import peak_bytes

SETTLING = 3.0


def main(kubeconfig: str, context: str, seconds: str) -> None:
    """Watch, and say `processor` (cores), `peak` (bytes) and `events` (a second)."""
    config.load_kube_config(kubeconfig, context)  # type: ignore[no-untyped-call]
    api, counts = client.CoreV1Api(), Counter[str]()

    def follow(name: str, lists: object) -> None:
        newest = api.list_namespace(limit=1).metadata.resource_version  # type: ignore[union-attr]
        for _ in watch.Watch().stream(lists, resource_version=newest):  # type: ignore[no-untyped-call]
            counts[name] += 1

    for name, lists in (("nodes", api.list_node), ("pods", api.list_pod_for_all_namespaces)):
        threading.Thread(target=follow, args=(name, lists), daemon=True).start()
    time.sleep(SETTLING)
    before, began, used = counts.total(), time.monotonic(), time.process_time()
    time.sleep(float(seconds))
    took = time.monotonic() - began
    found = {"processor": (time.process_time() - used) / took, "peak": peak_bytes(), "events": (counts.total() - before) / took}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
