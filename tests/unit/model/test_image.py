"""Image references, and the one under which a container's image is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.cluster import Container
from cockpit.model.image import Image, asked, local_id, parse

DIGEST = "sha256:" + "ab" * 32
REPO = "registry.example.com/payments/api"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "version"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
        ("docker.io/nginx", "docker.io", "library/nginx", "latest"),
        ("index.docker.io/grafana/loki", "docker.io", "grafana/loki", "latest"),
        ("grafana/loki:3", "docker.io", "grafana/loki", "3"),
        ("localhost/x", "localhost", "x", "latest"),
        ("localhost:5000/a/b:v1", "localhost:5000", "a/b", "v1"),
        ("127.0.0.1:5000/b", "127.0.0.1:5000", "b", "latest"),
        ("[::1]:5000/b", "[::1]:5000", "b", "latest"),
        (f"{REPO}@{DIGEST}", "registry.example.com", "payments/api", DIGEST),
        (f"{REPO}:2.14.0@{DIGEST}", "registry.example.com", "payments/api", DIGEST),
        ("111122223333.dkr.ecr.ap-south-1.amazonaws.com/api:1", "111122223333.dkr.ecr.ap-south-1.amazonaws.com", "api", "1"),
    ],
)
def test_references_get_the_defaults_of_docker_hub(text: str, registry: str, repository: str, version: str) -> None:
    found = parse(text)
    assert (found.registry, found.repository, found.version) == (registry, repository, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nginx",
        "a//b",
        "a:",
        "a@sha256:12",
        "a@md5:" + "a" * 32,
        "a b",
        "a/../b",
        "x/y?z",
        "-x/y.z/",
        "a" * 500,
        "reg.example/\x1b",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no image reference|not that long|no sha256"):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert parse(str(found)) == found
    assert not set(found.repository) & set("?#%@ \\")


@pytest.mark.parametrize(
    ("image_id", "reference", "local"),
    [
        ("", f"{REPO}:1", ""),
        (f"{REPO}@{DIGEST}", f"{REPO}@{DIGEST}", ""),
        (f"docker-pullable://{REPO}@{DIGEST}", f"{REPO}@{DIGEST}", ""),
        (DIGEST, f"{REPO}:1", DIGEST),
        (f"docker://{DIGEST}", f"{REPO}:1", DIGEST),
        ("whatever", f"{REPO}:1", ""),
    ],
)
def test_an_image_is_asked_for_by_the_digest_that_runs(image_id: str, reference: str, local: str) -> None:
    container = Container("main", f"{REPO}:1", image_id=image_id)
    assert (asked(container), local_id(container)) == (reference, local)


def test_nothing_is_known_of_an_image_that_could_not_be_asked_about() -> None:
    assert not Image("x", platforms=("linux/arm64",), why="no answer").known
    assert Image("x", platforms=("linux/arm64/v8",)).runs_on("arm64")
    assert not Image("x", platforms=("windows/arm64",)).runs_on("arm64")
