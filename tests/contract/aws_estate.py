"""An AWS account in moto with everything that the audit looks at, right and wrong: made once for a test module."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

REGION = "ap-south-1"
ACCOUNT = "123456789012"
AMIS = {"arm64": "ami-0123456789abcdef0", "x86_64": "ami-0fedcba9876543210"}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def session(region: str = REGION) -> Any:
    import boto3

    return boto3.Session("testing", "testing", region_name=region)


@dataclass
class Estate:
    """Where it is served, and the ARNs of what was made, by name."""

    address: str
    arns: dict[str, str] = field(default_factory=dict)

    def client(self, name: str) -> Any:
        return session().client(name, endpoint_url=self.address)


@contextmanager
def served() -> Iterator[Estate]:
    """The estate in a moto server of its own."""
    # By a file: moto's RegisterImage forgets the architecture.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as amis:
        json.dump([{"ami_id": ami, "name": f"node-{arch}", "architecture": arch} for arch, ami in AMIS.items()], amis)
        amis.flush()
        with _child({**os.environ, "MOTO_AMIS_PATH": amis.name}) as address:
            estate = Estate(address)
            for make in _PARTS:
                make(estate)
            yield estate


@contextmanager
def _child(environment: dict[str, str]) -> Iterator[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.motochild"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()


def _compute(estate: Estate) -> None:
    for name, arch, type_ in (
        ("arm", "arm64", "m7g.large"),
        ("x86", "x86_64", "m6i.large"),
        ("wrong", "x86_64", "m7g.large"),
        ("backwards", "arm64", "m6i.large"),
        ("untyped", "arm64", ""),
    ):
        _template(estate, f"lt-{name}", AMIS[arch], type_)
    _template(estate, "lt-lost", "ami-00000000000000000", "m7g.large")


def _template(estate: Estate, name: str, ami: str, type_: str) -> None:
    data = {"ImageId": ami, **({"InstanceType": type_} if type_ else {})}
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "tier", "Value": "payments"}]}]
    estate.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=tags)


def _groups(estate: Estate) -> None:
    client = estate.client("autoscaling")
    for name in ("arm", "x86", "wrong", "stalled", "backwards", "lost"):
        spec = {"LaunchTemplateName": f"lt-{'arm' if name == 'stalled' else name}", "Version": "$Latest"}
        _group(client, name, LaunchTemplate=spec)
    mixed = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "lt-arm", "Version": "$Default"},
            "Overrides": [
                {"InstanceType": "m7g.xlarge"},
                {
                    "InstanceType": "m6i.xlarge",
                    "LaunchTemplateSpecification": {"LaunchTemplateName": "lt-x86", "Version": "$Latest"},
                },
            ],
        }
    }
    _group(client, "mixed", MixedInstancesPolicy=mixed)
    mixed["LaunchTemplate"]["Overrides"] = [{"InstanceType": "m7g.xlarge"}, {"InstanceType": "m6i.xlarge"}]
    _group(client, "mixed-wrong", MixedInstancesPolicy=mixed)
    client.create_launch_configuration(
        LaunchConfigurationName="old", ImageId=AMIS["x86_64"], InstanceType="m5.large", InstanceMonitoring={}
    )
    _group(client, "old", LaunchConfigurationName="old")


def _group(client: Any, name: str, **more: Any) -> None:
    tag = {"Key": "tier", "Value": "payments", "PropagateAtLaunch": False}
    client.create_auto_scaling_group(
        AutoScalingGroupName=f"asg-{name}", MinSize=0, MaxSize=3, AvailabilityZones=["ap-south-1a"], Tags=[tag], **more
    )


def _nodegroups(estate: Estate) -> None:
    eks = estate.client("eks")
    role = f"arn:aws:iam::{ACCOUNT}:role/nodes"
    eks.create_cluster(name="prod", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    for name, kind, type_ in (
        ("graviton", "AL2023_ARM_64_STANDARD", "m7g.large"),
        ("x86", "AL2023_x86_64_STANDARD", "m6i.large"),
        ("mixed-up", "AL2023_x86_64_STANDARD", "m7g.large"),
    ):
        answer = eks.create_nodegroup(
            clusterName="prod",
            nodegroupName=name,
            amiType=kind,
            instanceTypes=[type_],
            nodeRole=role,
            subnets=["subnet-1"],
            tags={"tier": "payments"},
        )
        estate.arns[name] = answer["nodegroup"]["nodegroupArn"]


def _zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 1\n")
    return held.getvalue()


def _functions(estate: Estate) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = estate.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    client = estate.client("lambda")
    for name, archs in (
        ("native-arm", ["arm64"]),
        ("native-x86", ["x86_64"]),
        ("native-both", ["arm64", "x86_64"]),
        ("silent", []),
    ):
        more = {"CompatibleArchitectures": archs} if archs else {}
        layer = client.publish_layer_version(LayerName=name, Content={"ZipFile": _zip()}, **more)
        estate.arns[f"layer-{name}"] = layer["LayerVersionArn"]
    for name, arch, runtime, layers in (
        ("fn-arm", "arm64", "python3.12", ["native-arm", "native-both"]),
        ("fn-crash", "arm64", "python3.12", ["native-x86"]),
        ("fn-quiet", "arm64", "python3.12", ["silent"]),
        ("fn-x86", "x86_64", "nodejs20.x", []),
        ("fn-old", "x86_64", "python3.7", []),
        ("fn-stuck", "x86_64", "python3.12", ["native-x86"]),
    ):
        made = client.create_function(
            FunctionName=name,
            Runtime=runtime,
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": _zip()},
            Architectures=[arch],
            Layers=[estate.arns[f"layer-{layer}"] for layer in layers],
            Environment={"Variables": {"PASSWORD": "correct-horse-battery-staple-1"}},
            Tags={"tier": "payments"} if name != "fn-old" else {},
        )
        estate.arns[name] = made["FunctionArn"]


def _tasks(estate: Estate) -> None:
    client = estate.client("ecs")
    for family, platform, needs in (
        ("task-arm", {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}, ["FARGATE"]),
        ("task-x86", {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}, ["FARGATE"]),
        ("task-default", None, ["FARGATE"]),
        ("task-anywhere", None, ["EC2"]),
        ("task-windows", {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, ["EC2"]),
    ):
        client.register_task_definition(
            family=family,
            requiresCompatibilities=needs,
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": f"registry.example.com/{family}:1", "memory": 128}],
            tags=[{"key": "tier", "value": "payments"}],
            **({"runtimePlatform": platform} if platform else {}),
        )


def _databases(estate: Estate) -> None:
    rds = estate.client("rds")
    secret = {"MasterUsername": "admin1", "MasterUserPassword": "correct-horse-battery-staple-2"}
    rds.create_db_cluster(DBClusterIdentifier="aurora", Engine="aurora-postgresql", EngineVersion="13.9", **secret)
    for name, class_ in (("aurora-x86", "db.r5.large"), ("aurora-arm", "db.r6g.large")):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass=class_, Engine="aurora-postgresql", DBClusterIdentifier="aurora"
        )
    for name, class_, engine, version in (
        ("db-old", "db.m5.large", "mysql", "5.6.51"),
        ("db-here", "db.m5.large", "mysql", "8.0.35"),
        ("db-odd", "db.p9.large", "mysql", "8.0.35"),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass=class_,
            Engine=engine,
            EngineVersion=version,
            AllocatedStorage=20,
            StorageType="gp3",
            Tags=[{"Key": "tier", "Value": "payments"}],
            **secret,
        )


def _caches(estate: Estate) -> None:
    client = estate.client("elasticache")
    for name, class_ in (("cache-x86", "cache.m5.large"), ("cache-arm", "cache.r7g.large"), ("cache-old", "cache.m5.large")):
        client.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription=name, CacheNodeType=class_, Engine="redis", NumCacheClusters=1
        )
    client.create_cache_cluster(CacheClusterId="cache-mem", Engine="memcached", CacheNodeType="cache.m5.large", NumCacheNodes=1)


def _domains(estate: Estate) -> None:
    client = estate.client("opensearch")
    for name, class_, master in (
        ("search-x86", "m5.large.search", ""),
        ("search-arm", "r7g.large.search", "m6g.large.search"),
        ("search-half", "r7g.large.search", "m5.large.search"),
        ("search-t3", "t3.small.search", ""),
    ):
        masters = {"DedicatedMasterEnabled": True, "DedicatedMasterType": master} if master else {}
        client.create_domain(
            DomainName=name,
            EngineVersion="OpenSearch_2.11",
            ClusterConfig={"InstanceType": class_, "InstanceCount": 1, **masters},
        )


def _brokers(estate: Estate) -> None:
    client = estate.client("kafka")
    for name, class_ in (("kafka-x86", "kafka.m5.large"), ("kafka-arm", "kafka.m7g.large"), ("kafka-t3", "kafka.t3.small")):
        nodes = {"InstanceType": class_, "ClientSubnets": ["subnet-1", "subnet-2"]}
        provisioned = {"KafkaVersion": "3.5.1", "NumberOfBrokerNodes": 2, "BrokerNodeGroupInfo": nodes}
        client.create_cluster_v2(ClusterName=name, Provisioned=provisioned, Tags={"tier": "payments"})
    vpc = {"VpcConfigs": [{"SubnetIds": ["subnet-1"]}]}
    client.create_cluster_v2(ClusterName="kafka-serverless", Serverless=vpc)


def digest(arch: str) -> str:
    """Of the image for one architecture in every index of the estate."""
    return "sha256:" + {"amd64": "a", "arm64": "b", "unknown": "c"}[arch] * 64


def _images(estate: Estate) -> None:
    client = estate.client("ecr")
    for name, archs, mutability in (
        ("shop/both", ("amd64", "arm64", "unknown"), "IMMUTABLE"),
        ("shop/mutable", ("amd64", "arm64"), "MUTABLE"),
        ("shop/x86", ("amd64",), "IMMUTABLE"),
    ):
        client.create_repository(repositoryName=name, imageTagMutability=mutability, tags=[{"Key": "tier", "Value": "payments"}])
        listed = [
            {
                "mediaType": MANIFEST,
                "digest": digest(arch),
                "size": 7,
                "platform": {"os": "unknown" if arch == "unknown" else "linux", "architecture": arch},
            }
            for arch in archs
        ]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
        client.put_image(repositoryName=name, imageManifest=manifest, imageManifestMediaType=INDEX, imageTag="1.4.0")
    client.create_repository(repositoryName="shop/empty")


def _builds(estate: Estate) -> None:
    client = estate.client("codebuild")
    for name, kind, image in (
        ("build-arm", "ARM_CONTAINER", "aws/codebuild/amazonlinux2-aarch64-standard:3.0"),
        ("build-x86", "LINUX_CONTAINER", "aws/codebuild/amazonlinux2-x86_64-standard:5.0"),
        ("build-wrong", "ARM_CONTAINER", "aws/codebuild/amazonlinux2-x86_64-standard:5.0"),
    ):
        client.create_project(
            name=name,
            source={"type": "S3", "location": "bucket/source.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": kind, "image": image, "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=f"arn:aws:iam::{ACCOUNT}:role/service-role/build",
            tags=[{"key": "tier", "value": "payments"}],
        )


_PARTS = (_compute, _groups, _nodegroups, _functions, _tasks, _databases, _caches, _domains, _brokers, _images, _builds)
