"""A login for Amazon's Elastic Container Registry, by the credentials that AWS' own tools take. Imports boto3; blocks."""

from __future__ import annotations

import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from cockpit.connections.aws_failures import aws_words
from cockpit.connections.aws_secrets import know_session
from cockpit.connections.registry.auth import Login
from cockpit.errors import Unauthorized

SECONDS = 5
ATTEMPTS = 2
EARLY = timedelta(minutes=10)
LASTS = timedelta(hours=12)


def ecr_login(account: str, region: str) -> Login:
    """A login for a Region's registry. Unauthorized without AWS credentials or `ecr:GetAuthorizationToken`; Unreachable."""
    action = "ecr:GetAuthorizationToken"
    with aws_words(action, f"{account}.dkr.ecr.{region}"):
        session = boto3.Session(region_name=region)
        if session.get_credentials() is None:
            raise NoCredentialsError
        know_session(session)
        retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
        config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries=retries)
        client = session.client("ecr", config=config)
        try:
            given = client.get_authorization_token()["authorizationData"]
        finally:
            client.close()
    return _login(given[0] if given else {})


def _login(given: Any) -> Login:
    try:
        token, expires = given["authorizationToken"], given.get("expiresAt")
        user, _, password = b64decode(token).decode().partition(":")
    except (KeyError, ValueError, TypeError):
        user, password, expires = "", "", None
    if not password:
        raise Unauthorized("ECR gave no token that can be read")
    now = datetime.now(UTC)
    left = (expires if isinstance(expires, datetime) else now + LASTS) - now - EARLY
    return Login(user, password, until=time.monotonic() + max(0.0, left.total_seconds()))
