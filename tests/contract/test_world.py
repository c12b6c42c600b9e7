"""The embedded world as a process, through the same doors that the cockpit uses."""

from __future__ import annotations

import base64
import json
import os
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import boto3
import httpx
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

import playbooks
from cockpit.errors import PlaybookInvalid, UsageError
from cockpit.model.arch import Arch
from cockpit.model.playbook import Alb, Playbook
from cockpit.playbook.loader import load
from cockpit.rehearsal.client import Ready, World

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client as Balancers
    from types_boto3_elbv2.type_defs import ActionTypeDef, ForwardActionConfigTypeDef, TargetGroupTupleTypeDef

FOLDER = Path(playbooks.__file__).parent
T = TypeVar("T")


def eventually(ask: Callable[[], T | None], seconds: float = 30.0) -> T:
    """The first answer that is there; fails when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


class Flown:
    """A running world with clients for its servers."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        self.playbook: Playbook = load(ready.playbook)
        self.http = httpx.Client(trust_env=False, timeout=10)

    @property
    def alb(self) -> Alb:
        assert self.playbook.alb is not None
        return self.playbook.alb

    def balancers(self) -> Balancers:
        config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        return boto3.client(
            "elbv2",
            region_name=self.alb.region,
            endpoint_url=self.ready.aws_endpoint_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=config,
        )

    def prometheus(self, path: str, **parameters: str) -> httpx.Response:
        return self.http.get(f"{self.ready.prometheus_url}/api/v1/{path}", params=parameters)

    def sample(self, signal: str, arch: Arch) -> tuple[float, float] | None:
        query = self.playbook.signals[signal].query.replace("{{arch}}", arch)
        answer = self.prometheus("query", query=query).json()
        assert answer["status"] == "success" and answer["data"]["resultType"] == "vector"
        found = answer["data"]["result"]
        return (found[0]["value"][0], float(found[0]["value"][1])) if found else None

    def scenario(self, name: str) -> httpx.Response:
        return self.http.post(f"{self.ready.control_url}/scenario", json={"name": name})

    def actions(self, arm64: int, amd64: int) -> list[ActionTypeDef]:
        groups = self.alb.target_groups
        tuples: list[TargetGroupTupleTypeDef] = [
            {"TargetGroupArn": groups[Arch.AMD64], "Weight": amd64},
            {"TargetGroupArn": groups[Arch.ARM64], "Weight": arm64},
        ]
        forward: ForwardActionConfigTypeDef = {"TargetGroups": tuples}
        return [{"Type": "forward", "Order": 1, "ForwardConfig": forward}]

    def move(self, arm64: int) -> None:
        for listener in self.alb.listeners:
            self.balancers().modify_listener(ListenerArn=listener, DefaultActions=self.actions(arm64, 100 - arm64))
        for rule in self.alb.rules:
            self.balancers().modify_rule(RuleArn=rule, Actions=self.actions(arm64, 100 - arm64))


@pytest.fixture(scope="module")
def process() -> Iterator[World]:
    with World.spawn(FOLDER / "rehearsal.yaml", seed=3, speed=100) as world:
        yield world


@pytest.fixture
def flown(process: World) -> Iterator[Flown]:
    made = Flown(process.wait_ready())
    yield made
    made.scenario("clean").raise_for_status()
    made.move(0)
    made.http.close()


def test_the_ready_line_says_where_everything_is(flown: Flown) -> None:
    ready = flown.ready
    assert ready.context == "rehearsal" and ready.scenario == "clean" and ready.seed == 3
    assert ready.clock.speed == 100 and ready.clock.monotonic() > 0
    assert ready.env["AWS_DEFAULT_REGION"] == flown.alb.region
    assert ready.folder.stat().st_mode & 0o777 == 0o700
    assert flown.playbook.target.context == "rehearsal" and flown.alb.endpoint_url == ready.aws_endpoint_url
    assert flown.playbook.prometheus is not None and flown.playbook.prometheus.url == ready.prometheus_url


def test_the_kubeconfig_opens_the_api_of_a_cluster_that_lives(flown: Flown) -> None:
    config = yaml.safe_load(flown.ready.kubeconfig.read_text("utf-8"))
    server = config["clusters"][0]["cluster"]
    authority = flown.ready.folder / "ca.crt"
    authority.write_bytes(base64.b64decode(server["certificate-authority-data"]))
    context = ssl.create_default_context(cafile=str(authority))
    headers = {"Authorization": "Bearer operator"}
    with httpx.Client(verify=context, trust_env=False, headers=headers) as client:
        url = f"{server['server']}/api/v1/namespaces/payments/pods"
        listed = client.get(url).raise_for_status().json()["items"]
        assert len(listed) == 24
        victim = listed[0]["metadata"]["name"]
        client.delete(f"{url}/{victim}").raise_for_status()

        def replaced() -> bool:
            names = {p["metadata"]["name"] for p in client.get(url).raise_for_status().json()["items"]}
            return victim not in names and len(names) == 24

        assert eventually(replaced)


def test_weights_move_the_traffic(flown: Flown) -> None:
    before = flown.sample("requests", Arch.ARM64)
    assert before is not None, "the query says `or vector(0)`"
    assert before[1] == 0
    flown.move(25)

    def share() -> bool:
        arm, amd = flown.sample("requests", Arch.ARM64), flown.sample("requests", Arch.AMD64)
        return arm is not None and amd is not None and abs(arm[1] / (arm[1] + amd[1]) - 0.25) < 0.01

    assert eventually(share)
    latency = flown.sample("latency_p99", Arch.ARM64)
    assert latency is not None and 0.1 < latency[1] < 0.13
    errors = flown.sample("error_rate", Arch.ARM64)
    assert errors is not None and errors[1] < 0.001
    assert abs(latency[0] - flown.ready.clock.now().timestamp()) < 60


def test_target_health_is_the_pods(flown: Flown) -> None:
    groups = flown.alb.target_groups

    def states(arch: Arch) -> list[str]:
        found = flown.balancers().describe_target_health(TargetGroupArn=groups[arch])["TargetHealthDescriptions"]
        return [t["TargetHealth"]["State"] for t in found]

    assert eventually(lambda: states(Arch.AMD64).count("healthy") == 12)
    assert eventually(lambda: states(Arch.ARM64).count("healthy") == 12)


def test_what_moto_would_accept_is_refused(flown: Flown) -> None:
    client, rule = flown.balancers(), flown.alb.rules[0]
    before = client.describe_rules(RuleArns=[rule])["Rules"][0]
    for bad in (1000, -1):
        with pytest.raises(ClientError, match="ValidationError"):
            client.modify_rule(RuleArn=rule, Actions=flown.actions(bad, 1))
    default = next(r for r in client.describe_rules(ListenerArn=flown.alb.listeners[0])["Rules"] if r["IsDefault"])
    with pytest.raises(ClientError, match=r"OperationNotPermitted.*Default rule '.*' cannot be modified"):
        client.modify_rule(RuleArn=default["RuleArn"], Actions=flown.actions(1, 1))
    assert client.describe_rules(RuleArns=[rule])["Rules"][0] == before


def test_throttling_is_what_an_sdk_takes_for_it(flown: Flown) -> None:
    flown.scenario("aws-throttled").raise_for_status()
    rule, client = flown.alb.rules[0], flown.balancers()  # one client: making another takes as long as the throttling lasts
    client.modify_rule(RuleArn=rule, Actions=flown.actions(5, 95))
    with pytest.raises(ClientError, match=r"Throttling.*Rate exceeded") as refused:
        client.modify_rule(RuleArn=rule, Actions=flown.actions(6, 94))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_tags_and_the_callers_account_come_from_moto(flown: Flown) -> None:
    client, rule = flown.balancers(), flown.alb.rules[0]
    client.add_tags(ResourceArns=[rule], Tags=[{"Key": "k", "Value": "v"}])
    assert client.describe_tags(ResourceArns=[rule])["TagDescriptions"][0]["Tags"] == [{"Key": "k", "Value": "v"}]
    client.remove_tags(ResourceArns=[rule], TagKeys=["k"])
    caller = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=flown.ready.aws_endpoint_url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert caller.get_caller_identity()["Account"] == flown.alb.account


def test_prometheus_answers_the_playbook_and_says_so_to_anything_else(flown: Flown) -> None:
    refused = flown.prometheus("query", query="up")
    body = refused.json()
    assert refused.status_code == 400 and body["status"] == "error" and body["errorType"] == "bad_data"
    assert "evaluates no PromQL" in body["error"] and body["error"].endswith(": up")
    assert flown.prometheus("query").status_code == 400
    assert flown.prometheus("status/buildinfo").json()["data"]["version"]
    assert flown.http.get(f"{flown.ready.prometheus_url}/-/ready").status_code == 200
    query = flown.playbook.signals["requests"].query.replace("{{arch}}", "amd64")
    posted = flown.http.post(f"{flown.ready.prometheus_url}/api/v1/query", data={"query": query}).json()
    assert len(posted["data"]["result"]) == 1


def test_ranges_are_series_of_what_single_queries_say(flown: Flown) -> None:
    query = flown.playbook.signals["requests"].query.replace("{{arch}}", "amd64")
    now = flown.ready.clock.now().timestamp()
    span = {"start": str(now - 60), "end": str(now), "step": "15s"}
    (series,) = flown.prometheus("query_range", query=query, **span).json()["data"]["result"]
    assert len(series["values"]) == 5
    at, value = series["values"][2]
    single = flown.prometheus("query", query=query, time=str(at)).json()["data"]["result"][0]["value"]
    assert single == [at, value]
    for wrong in ({"step": "0"}, {"step": "x"}, {"end": str(now - 100)}, {"step": "0.001"}, {"start": "nan"}):
        answer = flown.prometheus("query_range", query=query, **{**span, **wrong})
        assert answer.status_code == 400 and answer.json()["errorType"] == "bad_data"


def test_metrics_fail_in_three_ways(flown: Flown) -> None:
    flown.move(5)
    flown.scenario("prometheus-nan").raise_for_status()
    assert eventually(lambda: (s := flown.sample("requests", Arch.AMD64)) is not None and s[1] != s[1])
    flown.scenario("prometheus-stale").raise_for_status()

    def standing() -> tuple[float, float] | None:
        # The world may still be taking the last step before the moment at which it froze.
        seen = flown.sample("requests", Arch.AMD64)
        return seen if seen == flown.sample("requests", Arch.AMD64) else None

    frozen = eventually(standing)
    assert flown.sample("requests", Arch.AMD64) == frozen
    flown.scenario("prometheus-down").raise_for_status()
    assert flown.prometheus("query", query="up").status_code == 503
    flown.scenario("clean").raise_for_status()
    sample = flown.sample("requests", Arch.AMD64)
    assert sample is not None and sample[0] > frozen[0]


def test_scenarios_are_listed_and_unknown_ones_refused(flown: Flown) -> None:
    listed = flown.http.get(f"{flown.ready.control_url}/scenario").json()
    assert listed["scenario"] == "clean" and len(listed["scenarios"]) == 18
    assert listed["began"] is None, "nothing is wrong yet"
    refused = flown.scenario("nothing")
    assert refused.status_code == 400 and "no scenario 'nothing'" in refused.json()["error"]
    page = flown.http.post(f"{flown.ready.control_url}/scenario", content=json.dumps({"name": "clean"}))
    assert page.status_code == 415


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [pid, *map(int, children)]


async def test_stopping_leaves_no_process_and_no_folder() -> None:
    world = await World.start(FOLDER / "rehearsal.yaml")
    ready = await world.ready()
    family = _family(ready.pid)
    assert len(family) == 2 and ready.folder.is_dir()
    await world.stop()
    await world.stop()
    assert not any(map(_alive, family)) and not ready.folder.exists()


def test_a_killed_world_takes_moto_along() -> None:
    with World.spawn(FOLDER / "rehearsal.yaml") as world:
        ready = world.wait_ready()
        family = _family(ready.pid)
        os.kill(ready.pid, 9)
        assert eventually(lambda: not any(map(_alive, family)))
    assert not ready.folder.exists()


def test_a_playbook_without_a_balancer_needs_no_aws() -> None:
    with World.spawn(FOLDER / "affinity-only.yaml", speed=50) as world:
        ready = world.wait_ready()
        assert ready.aws_endpoint_url is None and len(_family(ready.pid)) == 1
        assert load(ready.playbook).alb is None


def test_what_cannot_be_flown_is_said_in_words(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("kind: Playbook\nnonsense: 1\n", "utf-8")
    with World.spawn(bad) as world, pytest.raises(PlaybookInvalid) as invalid:
        world.wait_ready()
    assert len(invalid.value.lines) > 1 and "bad.yaml" in invalid.value.lines[0]
    with World.spawn(FOLDER / "rehearsal.yaml", scenario="none-such") as world, pytest.raises(UsageError, match="none-such"):
        world.wait_ready()
