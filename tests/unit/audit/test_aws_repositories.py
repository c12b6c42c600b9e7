"""Which image of an ECR repository is looked at where the playbook names no tag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from cockpit.audit.aws.asking import Aws
from cockpit.audit.aws.operations import MANIFESTS, REPOSITORIES, REPOSITORY_IMAGES, Operation
from cockpit.audit.aws.repositories import look
from cockpit.model.surfaces import Selection, Surface

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
OF = f"sha256-{'a' * 64}"
BEGUN = datetime(2026, 11, 22, tzinfo=UTC)
PUSHED = (
    {"imageTags": ["1.3"], "imageManifestMediaType": INDEX},
    {"imageTags": [f"{OF}.sig", "1.4"], "imageManifestMediaType": INDEX, "artifactMediaType": "application/vnd.of.somebody"},
)


class Ecr:
    """One repository, what was pushed to it later standing further back."""

    def __init__(self, pushed: tuple[Mapping[str, Any], ...]) -> None:
        self._images: list[Mapping[str, Any]] = [
            {**one, "imagePushedAt": BEGUN + timedelta(seconds=i)} for i, one in enumerate(pushed)
        ]

    async def everything(self, operation: Operation, _key: str, **_asked: Any) -> list[Mapping[str, Any]]:
        if operation is REPOSITORIES:
            return [{"repositoryName": "pay", "repositoryArn": "arn:pay", "imageTagMutability": "IMMUTABLE"}]
        assert operation is REPOSITORY_IMAGES
        return self._images

    async def ask(self, operation: Operation, **asked: Any) -> Mapping[str, Any]:
        assert operation is MANIFESTS
        self.tag = asked["imageIds"][0]["imageTag"]
        return {"images": [{"imageManifest": json.dumps({"schemaVersion": 2, "manifests": []})}]}


async def looked_at(*pushed: Mapping[str, Any]) -> str:
    ecr = Ecr(pushed)
    (judged,) = await look(cast(Aws, ecr), Selection(Surface.ECR, names=("pay",)))
    assert judged.name == "pay"
    return str(getattr(ecr, "tag", ""))


@pytest.mark.parametrize(
    "later",
    [
        {"imageTags": [f"{OF}.sig"], "imageManifestMediaType": IMAGE, "artifactMediaType": CONFIG},
        {"imageTags": [f"{OF}.att"], "imageManifestMediaType": IMAGE},
        {"imageTags": [f"{OF}.sbom"], "imageManifestMediaType": IMAGE},
        {"imageTags": [OF], "imageManifestMediaType": INDEX},
        {"imageTags": ["chart-9"], "imageManifestMediaType": IMAGE, "artifactMediaType": HELM},
        {"imageTags": ["sbom"], "imageManifestMediaType": ARTIFACT},
        {"imageTags": []},
        {},
    ],
)
async def test_what_belongs_to_an_image_is_not_the_newest_image(later: Mapping[str, Any]) -> None:
    assert await looked_at(*PUSHED, later) == "1.4"
    assert await looked_at(later) == ""


async def test_a_tag_that_only_looks_like_one_of_those_is_an_images() -> None:
    last = {"imageTags": ["sha256-of-main.sig"], "imageManifestMediaType": IMAGE, "artifactMediaType": CONFIG}
    assert await looked_at(*PUSHED, last) == "sha256-of-main.sig"
