"""boto3's clients for the load balancer: opened, with their time-outs, and each failure as an error of the cockpit's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from cockpit.connections.account import AccountPin
from cockpit.model.playbook import Alb

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

T = TypeVar("T")
CONNECT_SECONDS = 3
READ_SECONDS = 5
READ_ATTEMPTS = 3
IDENTITY_SECONDS = 2
IDENTITY_ATTEMPTS = 2
POLL_SECONDS = 4
"""As READ_SECONDS for what is asked again anyway: once, and without waiting long."""
SERVICE = "elasticloadbalancing"


@dataclass(frozen=True, slots=True)
class Clients:
    """Those for reading, for what is asked again and again, for writing, and for whose the credentials are."""

    reader: ElasticLoadBalancingv2Client
    poller: ElasticLoadBalancingv2Client
    writer: ElasticLoadBalancingv2Client
    sts: Any
    account: AccountPin


def guarded(action: str, where: str, work: Callable[[], T]) -> T:
    """What `work` gives; its failures become errors that name the IAM `action` or the address `where`."""
    from cockpit.connections.aws_failures import aws_words

    with aws_words(action, where):
        return work()


def open_clients(alb: Alb) -> Clients:
    """Clients for a playbook's load balancer, without asking it anything yet.

    Unauthorized without credentials, UsageError without a region or with a profile that does not exist.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    from cockpit.connections.aws_failures import aws_words
    from cockpit.connections.aws_secrets import know_session

    with aws_words(f"{SERVICE}:*", alb.endpoint_url or alb.region):
        session = boto3.Session(region_name=alb.region or None)
        if session.get_credentials() is None:
            raise NoCredentialsError
        know_session(session)
        patient = Config(**client_settings(alb.endpoint_url, READ_ATTEMPTS, READ_SECONDS))
        once = Config(**client_settings(alb.endpoint_url, 1, READ_SECONDS))
        hasty = Config(**client_settings(alb.endpoint_url, 1, POLL_SECONDS))
        reader, poller, writer = (
            session.client("elbv2", endpoint_url=alb.endpoint_url, config=c) for c in (patient, hasty, once)
        )
        brief = Config(**client_settings(alb.endpoint_url, IDENTITY_ATTEMPTS, IDENTITY_SECONDS))
        sts = session.client("sts", endpoint_url=alb.endpoint_url, config=brief)
    ask = partial(guarded, "sts:GetCallerIdentity", sts.meta.endpoint_url, partial(account_of, sts))
    account = AccountPin(ask, partial(_key, session))
    writer.meta.events.register("before-send", account.signed)
    return Clients(reader, poller, writer, sts, account)


def account_of(sts: Any) -> str:
    """The account that the credentials belong to; empty when the answer names none."""
    return str(sts.get_caller_identity().get("Account", ""))


def _key(session: Any) -> str:
    return str(session.get_credentials().get_frozen_credentials().access_key)


def client_settings(endpoint_url: str | None, attempts: int, read: float) -> dict[str, Any]:
    """Settings of a botocore client; `read` is in seconds of wall time. A proxy is never used for this machine."""
    host = urlsplit(endpoint_url or "").hostname or ""
    local: dict[str, Any] = {"proxies": {}} if host == "localhost" or host.startswith("127.") else {}
    return {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": read,
        "retries": {"mode": "standard", "total_max_attempts": attempts},
        "tcp_keepalive": True,
        "user_agent_extra": "cutover-cockpit",
        **local,
    }
