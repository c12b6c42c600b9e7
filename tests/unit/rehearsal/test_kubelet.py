"""What kubelets do with images that do not fit their node and with containers that end: states, waits, counts, words."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.rehearsal.containers import Exit
from cockpit.rehearsal.images import MULTI_ARCH, X86_INDEX, X86_ONLY, Build, Images, Start
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.podstatus import status_word
from cockpit.rehearsal.kubelet import AGAIN
from cockpit.rehearsal.logs import PodHooks
from cockpit.rehearsal.objects import clone, condition, is_ready, key
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import CANARY, deployment, pods, world

IMAGE = "registry.example.com/payments/payments-api:new"


def release(made: World, build: Build, seconds: int = 8) -> Obj:
    """Roll the canary out with a new image of that build, and give its first new pod some seconds later."""
    made.cluster.images.publish(IMAGE, build)

    def edit(new: Obj) -> None:
        new["spec"]["template"]["spec"]["containers"][0]["image"] = IMAGE

    made.cluster.change("deployments", deployment(made, CANARY), edit)
    made.engine.advance(made.cluster.step + seconds)
    return new_pods(made)[0]


def new_pods(made: World) -> list[Obj]:
    return [p for p in pods(made, CANARY) if p["spec"]["containers"][0]["image"] == IMAGE]


def status(pod: Obj) -> dict[str, Any]:
    return dict(pod["status"]["containerStatuses"][0])


def events(made: World, pod: Obj) -> dict[tuple[str, str], int]:
    about = [e for e in made.storage.list("events") if e["involvedObject"]["name"] == pod["metadata"]["name"]]
    return {(e["reason"], e["message"]): e["count"] for e in about}


@pytest.mark.parametrize(
    ("build", "arch", "binfmt", "start"),
    [
        (MULTI_ARCH, "arm64", False, Start.NATIVE),
        (X86_ONLY, "amd64", False, Start.NATIVE),
        (X86_ONLY, "arm64", False, Start.EXEC_FORMAT),
        (X86_ONLY, "arm64", True, Start.EMULATED),
        (X86_INDEX, "arm64", False, Start.NO_MATCH),
        (X86_INDEX, "arm64", True, Start.NO_MATCH),
        (X86_INDEX, "amd64", False, Start.NATIVE),
    ],
)
def test_a_node_takes_only_its_own_build_out_of_an_index_but_any_single_manifest(
    build: Build, arch: str, binfmt: bool, start: Start
) -> None:
    images = Images()
    images.publish("x:1", build)
    assert images.start("x:1", arch, binfmt=binfmt) is start
    assert images.start("never-published:1", arch, binfmt=binfmt) is Start.NATIVE


def test_a_wrong_binary_crash_loops_in_runcs_and_the_kubelets_words() -> None:
    made = world()
    pod = release(made, X86_ONLY)
    name = pod["metadata"]["name"]
    made.engine.advance(made.cluster.step + 300)
    pod = made.storage.get("pods", *key(pod))
    found = status(pod)
    uid = pod["metadata"]["uid"]
    assert status_word(pod) == "CrashLoopBackOff" and pod["status"]["phase"] == "Running" and not is_ready(pod)
    assert found["state"]["waiting"]["message"].startswith("back-off ")
    assert f"restarting failed container={CANARY.name} pod={name}_payments({uid})" in found["state"]["waiting"]["message"]
    ended = found["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (255, "Error")
    assert ended["message"] == f"exec /usr/local/bin/{CANARY.name}: exec format error\n"
    assert found["restartCount"] == 5, "at once, then after 10, 20, 40 and 80 s"
    assert events(made, pod)["BackOff", f"Back-off restarting failed container {CANARY.name} in pod {name}_payments({uid})"] == 5
    assert PodHooks(made.cluster).log(pod, CANARY.name, previous=True) == ended["message"]
    assert len([p for p in pods(made, CANARY) if is_ready(p)]) == 9, "the old revision goes on serving"


def test_the_wait_doubles_up_to_five_minutes() -> None:
    made = world()
    pod = release(made, X86_ONLY, seconds=1)
    waits: list[str] = []
    for _ in range(3600):
        made.engine.advance(made.cluster.step + 1)
        state = status(made.storage.get("pods", *key(pod)))["state"]
        text = state.get("waiting", {}).get("message", "")
        if text.startswith("back-off ") and (not waits or waits[-1] != text.split()[1]):
            waits.append(text.split()[1])
    assert waits == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"]


def test_the_last_words_are_told_only_where_the_policy_takes_the_log() -> None:
    made = world()

    def plain(new: Obj) -> None:
        new["spec"]["template"]["spec"]["containers"][0]["terminationMessagePolicy"] = "File"

    made.cluster.change("deployments", deployment(made, CANARY), plain)
    pod = release(made, X86_ONLY, seconds=20)
    assert "message" not in status(made.storage.get("pods", *key(pod)))["lastState"]["terminated"]


def test_an_index_without_the_architecture_cannot_be_pulled() -> None:
    made = world()
    pod = release(made, X86_INDEX)
    made.engine.advance(made.cluster.step + 120)
    pod = made.storage.get("pods", *key(pod))
    waiting = status(pod)["state"]["waiting"]
    why = f'failed to pull and unpack image "{IMAGE}": no match for platform in manifest: not found'
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"] == f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = {why}'
    assert pod["status"]["phase"] == "Pending" and status(pod)["restartCount"] == 0 and status(pod)["imageID"] == ""
    said = events(made, pod)
    assert said["Failed", f'Failed to pull image "{IMAGE}": rpc error: code = NotFound desc = {why}'] == 4
    assert said["Failed", "Error: ErrImagePull"] == said["Failed", "Error: ImagePullBackOff"] == 4
    assert said["BackOff", f'Back-off pulling image "{IMAGE}"'] == 4
    assert PodHooks(made.cluster).log(pod, CANARY.name, previous=False) is None


def test_a_build_that_is_pushed_later_mends_what_waits_for_it() -> None:
    made = world()
    release(made, X86_INDEX)
    made.cluster.images.publish(IMAGE, MULTI_ARCH)
    made.engine.advance(made.cluster.step + 120)
    assert len([p for p in new_pods(made) if is_ready(p)]) == 12


def test_what_ends_is_ready_again_once_the_cause_is_gone_and_keeps_its_count() -> None:
    made = world()
    pod = pods(made, CANARY)[0]
    made.engine.kubelets.fails = lambda found, _node, _name: Exit(3, "why\n", 2.0) if key(found) == key(pod) else None
    made.cluster.after(1, AGAIN, key(pod), pod["metadata"]["uid"])
    before = condition(pod, "Ready")
    made.engine.advance(6)
    found = made.storage.get("pods", *key(pod))
    assert not is_ready(found) and condition(found, "Ready") != before
    made.engine.advance(20)
    made.engine.kubelets.fails = lambda _pod, _node, _name: None
    made.engine.advance(80)
    found = made.storage.get("pods", *key(pod))
    assert is_ready(found) and status(found)["restartCount"] >= 2
    assert status(found)["lastState"]["terminated"]["exitCode"] == 3
    assert all(is_ready(p) and status(p)["restartCount"] == 0 for p in pods(made, CANARY) if key(p) != key(pod))


def test_a_pod_that_is_deleted_while_it_crash_loops_is_gone_for_good() -> None:
    made = world()
    pod = release(made, X86_ONLY, seconds=30)
    made.storage.delete("pods", *key(pod))
    made.engine.advance(made.cluster.step + 60)
    assert made.storage.find("pods", *key(pod)) is None


def test_one_sick_container_beside_a_healthy_one_makes_the_pod_not_ready() -> None:
    made = world()

    def add(new: Obj) -> None:
        first = new["spec"]["template"]["spec"]["containers"][0]
        new["spec"]["template"]["spec"]["containers"].append({**clone(first), "name": "mesh-proxy", "ports": []})

    made.engine.kubelets.fails = lambda _pod, _node, name: Exit(139, "") if name == "mesh-proxy" else None
    made.cluster.change("deployments", deployment(made, CANARY), add)
    made.engine.advance(60)
    pod = next(p for p in pods(made, CANARY) if len(p["spec"]["containers"]) == 2)
    own, proxy = pod["status"]["containerStatuses"]
    assert own["ready"] and not proxy["ready"] and not is_ready(pod)
    words = condition(pod, "Ready")
    assert words is not None and words["message"] == "containers with unready status: [mesh-proxy]"
