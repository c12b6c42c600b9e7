"""The world in which an agent was never built for the new architecture, and the helper that a gated rehearsal finds."""

from __future__ import annotations

from dataclasses import replace

from cockpit.clock import ManualClock
from cockpit.model.playbook import Portability
from cockpit.rehearsal.images import X86_INDEX
from cockpit.rehearsal.kube.podstatus import status_word
from cockpit.rehearsal.registry_content import image_id
from cockpit.rehearsal.world import World
from tests.unit.rehearsal.worlds import playbook, weights, world


def sensors(made: World, arch: str) -> list[str]:
    """STATUS of the sensor's pods on nodes of an architecture."""
    archs = {n["metadata"]["name"]: n["metadata"]["labels"]["kubernetes.io/arch"] for n in made.storage.list("nodes")}
    pods = [p for p in made.storage.list("pods", "security") if archs[p["spec"]["nodeName"]] == arch]
    return [status_word(p) for p in pods]


def test_the_sensor_is_nowhere_on_arm64_from_the_beginning_and_runs_on_amd64() -> None:
    made = world(scenario="veto")
    made.engine.advance(60)
    assert set(sensors(made, "arm64")) == {"ImagePullBackOff"} and len(sensors(made, "arm64")) == 6
    assert sensors(made, "amd64") == ["Running"] * 8
    held = [p for p in made.storage.list("pods", "security") if "imageID" in p["status"]["containerStatuses"][0]]
    ran = {c["imageID"] for p in held for c in p["status"]["containerStatuses"] if c["imageID"]}
    image = held[0]["spec"]["containers"][0]["image"]
    assert ran == {image_id(image, X86_INDEX)}, "nobody ever pulled another build"


def test_dropped_into_a_running_world_the_sensor_is_lost_there_too() -> None:
    made = world()
    made.engine.advance(30)
    assert sensors(made, "arm64") == ["Running"] * 6
    made.drop_in("veto")
    made.engine.advance(120)
    assert set(sensors(made, "arm64")) == {"ImagePullBackOff"}
    assert sensors(made, "amd64") == ["Running"] * 8


def test_only_a_gated_rehearsal_has_the_helper_that_was_never_built_for_arm64() -> None:
    gated = replace(playbook(), portability=Portability("waived_ok"))
    made = World(gated, ManualClock(), seed=1)
    made.set_weights("arn:rule", weights(0))
    made.begin()
    [helper] = [d for d in made.storage.list("deployments", "payments") if d["metadata"]["name"] == "ledger-export"]
    assert made.cluster.images.of(helper["spec"]["template"]["spec"]["containers"][0]["image"]) == X86_INDEX
    pods = made.storage.list("pods", "payments")
    assert len(pods) == 24 and not any("ledger" in p["metadata"]["name"] for p in pods), "it is scaled up by hand only"
    assert not any("ledger" in d["metadata"]["name"] for d in world().storage.list("deployments", "payments"))
