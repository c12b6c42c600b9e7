"""ECR repositories: the newest tagged image's index, the scans of its images, and whether tags can change."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cockpit.audit.aws.asking import Aws, absent
from cockpit.audit.aws.choosing import LONGEST, Item, Tags, choose, missing, tags
from cockpit.audit.aws.each import each
from cockpit.audit.aws.operations import MANIFESTS, REPOSITORIES, REPOSITORY_IMAGES, REPOSITORY_TAGS, SCAN
from cockpit.errors import CockpitError, Unreachable
from cockpit.model.surfaces import Selection
from cockpit.rules.portability.aws.repositories import Repository, Scan, judge_repository
from cockpit.rules.portability.aws.verdict import Judged, Verdict
from cockpit.text import clean

_INDEX = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_IMAGE = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_LONGEST_MANIFEST = 4 * 1024 * 1024
_MOST_PLATFORMS = 32
_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(\.(sig|att|sbom))?")
"""The tag of what belongs to an image: cosign's signatures, attestations and SBOMs, and OCI 1.1's list of referrers."""
_EARLY = datetime.min.replace(tzinfo=UTC)


async def look(aws: Aws, selection: Selection) -> list[Judged]:
    """A verdict on each chosen repository."""
    found = await aws.everything(REPOSITORIES, "repositories", maxResults=1000)
    items = [Item(str(r.get("repositoryName", "")), str(r.get("repositoryArn", "")), raw=r) for r in found]

    async def tags_of(item: Item) -> Tags:
        return tags((await aws.ask(REPOSITORY_TAGS, resourceArn=item.arn)).get("tags"))

    async def judge(item: Item) -> Verdict:
        return judge_repository(await _repository(aws, item.raw, selection.tag))

    chosen = await choose(selection, items, tags_of)
    return [*await each(selection, chosen, judge), *missing(selection, chosen)]


async def _repository(aws: Aws, found: Mapping[str, Any], tag: str) -> Repository:
    name = str(found.get("repositoryName", ""))
    mutability = clean(str(found.get("imageTagMutability") or ""), 80)
    uri = clean(str(found.get("repositoryUri") or name), LONGEST)
    tag = tag or await _newest(aws, name)
    manifest = await _manifest(aws, name, tag) if tag else None
    if manifest is None:
        return Repository(mutability, uri=uri)
    listed = manifest.get("manifests")
    if not isinstance(listed, list):
        return Repository(mutability, clean(tag, LONGEST), uri=uri)
    digests = _platforms(listed)
    scans = await asyncio.gather(*(_scan(aws, name, digest) for digest in digests.values()))
    return Repository(mutability, clean(tag, LONGEST), True, dict(zip(digests, scans, strict=True)), uri)


async def _newest(aws: Aws, name: str) -> str:
    """A tag of the image that was pushed last; empty when none has a tag."""
    found = await aws.everything(
        REPOSITORY_IMAGES, "imageDetails", repositoryName=name, filter={"tagStatus": "TAGGED"}, maxResults=1000
    )
    tagged = [(one.get("imagePushedAt") or _EARLY, tag) for one in found for tag in _image_tags(one)[:1]]
    return max(tagged, key=lambda one: one[0], default=(_EARLY, ""))[1]


def _image_tags(found: Mapping[str, Any]) -> list[str]:
    """The tags of an image or an index; none of a chart, a signature or whatever else a registry keeps."""
    kind, config = found.get("imageManifestMediaType"), found.get("artifactMediaType")
    if kind == _ARTIFACT or (kind not in _INDEX and config and config not in _CONFIGS):
        return []
    return [str(tag) for tag in found.get("imageTags") or () if not _ATTACHED.fullmatch(str(tag))]


async def _manifest(aws: Aws, name: str, tag: str) -> Mapping[str, Any] | None:
    answer = await aws.ask(MANIFESTS, repositoryName=name, imageIds=[{"imageTag": tag}], acceptedMediaTypes=[*_INDEX, *_IMAGE])
    text = next((str(one.get("imageManifest") or "") for one in answer.get("images") or ()), "")
    if not text:
        return None
    try:
        document = json.loads(text) if len(text) <= _LONGEST_MANIFEST else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unreachable(f"the manifest of {clean(name, LONGEST)}:{clean(tag, LONGEST)} cannot be read")
    return document


def _platforms(listed: list[Any]) -> dict[str, str]:
    """The digest of the image for each Linux architecture; attestations are of no platform."""
    found: dict[str, str] = {}
    for one in listed[:_MOST_PLATFORMS]:
        platform = one.get("platform") if isinstance(one, dict) else None
        if isinstance(platform, dict) and platform.get("os", "linux") == "linux":
            found.setdefault(clean(str(platform.get("architecture") or ""), 40), str(one.get("digest") or ""))
    return {arch: digest for arch, digest in found.items() if arch and digest}


async def _scan(aws: Aws, name: str, digest: str) -> Scan:
    try:
        answer = await aws.ask(SCAN, repositoryName=name, imageId={"imageDigest": digest}, maxResults=1)
    except CockpitError as error:
        if absent(error):
            return Scan()
        raise
    counts = (answer.get("imageScanFindings") or {}).get("findingSeverityCounts") or {}
    status = clean(str((answer.get("imageScanStatus") or {}).get("status") or ""), 80)
    return Scan(status, {clean(str(k), 40): int(v) for k, v in counts.items()})
