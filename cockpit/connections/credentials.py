"""How to reach a cluster and who we are there, from a kubeconfig or from inside a pod. Blocking: call it off the event loop.

Kubeconfig, exec plugins, OIDC and in-cluster tokens are read by the `kubernetes` package. What is done here instead of by it:
an exec plugin never gets the terminal (a screen is on it), has a time limit, and its failure is an error rather than a line in
the log; impersonation is honoured; and messages are our own words, as the package's may quote whole users with their secrets.
"""

from __future__ import annotations

import os
import re
import ssl
import tempfile
import threading
import time
from base64 import b64decode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.config.kube_config import KubeConfigMerger

from cockpit.connections.loader import Loader, untyped
from cockpit.connections.tls import context_for
from cockpit.errors import CockpitError, Unauthorized, UsageError
from cockpit.redact import know, know_key, know_named, know_url
from cockpit.text import clean

FRESH_SECONDS = 5.0
"""Credentials asked for again within this (wall time) are taken as they were."""
IN_CLUSTER = "in-cluster"


class Access:
    """Address, TLS and identity for one cluster. All methods may block; safe to call from several threads."""

    def __init__(self, context: str, loader: Any, folder: Path) -> None:
        self.context = context
        self._loader: Any = loader
        self._lock = threading.Lock()
        self._config: Any = Configuration()
        self._folder = folder
        _know_user(loader)
        loader.load_and_set(self._config)
        _know(self._config)
        self.server: str = self._config.host
        self.authority = ""
        """SHA-256 of the certificates that the kubeconfig has the server's own checked with; empty when it names none."""
        self.tls = self._tls() if self.server.startswith("https") else None
        self.proxy = self._proxy()
        self._impersonation = _impersonation(loader)
        self._forced = -FRESH_SECONDS
        self._sent = self._headers()
        self._forget_files()

    def headers(self) -> dict[str, str]:
        """Headers that say who we are, as they were fetched last. Never blocks: whoever writes waits for no token."""
        return self._sent

    @property
    def expires(self) -> datetime | None:
        """When the credentials end or have to be read again, as far as they say so."""
        found = getattr(self._loader, "token_expires_at", None) or getattr(self._loader, "expiry", None)
        return found.astimezone(UTC) if isinstance(found, datetime) else None

    def renew(self) -> bool:
        """Fetch credentials anew, ahead of their end or after a refusal; False when that was done just now and would not help.

        Unauthorized when they cannot be had: those from before stay.
        """
        with self._lock:
            if time.monotonic() - self._forced < FRESH_SECONDS:
                return False
            self._forced = time.monotonic()
            with _plain_words():
                self._reload()
            _know(self._config)
            self._sent = self._headers()
            self._forget_files()
            return True

    def _reload(self) -> None:
        if hasattr(self._loader, "_load_authentication"):
            self._loader._load_authentication()
            if self.tls and getattr(self._loader, "cert_file", None):
                self.tls.load_cert_chain(self._loader.cert_file, self._loader.key_file)
        else:
            self._loader._read_token_file()
        self._loader._set_config(self._config)

    def _headers(self) -> dict[str, str]:
        token = self._config.api_key.get("BearerToken")
        return {**self._impersonation, **({"Authorization": token} if token else {})}

    def _tls(self) -> ssl.SSLContext:
        config = self._config
        context = context_for(config.tls_server_name)
        if not config.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif config.ssl_ca_cert:
            context.load_verify_locations(config.ssl_ca_cert)
            self.authority = sha256(b"".join(sorted(context.get_ca_certs(binary_form=True)))).hexdigest()
        else:
            context.load_default_certs()
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
        return context

    def _proxy(self) -> str | None:
        config = self._config
        know_url(config.proxy)
        host = urlsplit(self.server).hostname or ""
        local = host == "localhost" or host.startswith("127.") or host == "::1"
        if not config.proxy or should_bypass_proxies(self.server, config.no_proxy or "") or (local and config._proxy_from_env):
            return None
        if not config.proxy.startswith(("http://", "https://")):
            raise UsageError(f"the proxy of context {self.context} is not an http or https one; others are not supported")
        return str(config.proxy)

    def _forget_files(self) -> None:
        # The ssl module reads keys from files only; they need not stay.
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)
        self._folder.rmdir() if self._folder.is_dir() else None


def _know_user(loader: Any) -> None:
    """The secrets that a kubeconfig's user entry holds, whichever of them is taken in the end."""
    found = getattr(getattr(loader, "_user", None), "value", None)
    user: dict[str, Any] = found if isinstance(found, dict) else {}
    know(*(str(user[key]) for key in ("token", "password") if user.get(key)))
    provider = user.get("auth-provider")
    settings = provider.get("config") if isinstance(provider, dict) else None
    for name, value in settings.items() if isinstance(settings, dict) else ():
        know_named(str(name).replace("-", "_"), str(value))
    if key := user.get("client-key-data"):
        know(str(key))
        with suppress(ValueError):
            know_key(b64decode(str(key)).decode(errors="replace"))


def _know(config: Any) -> None:
    """The secrets that are sent as they are now."""
    token = str(config.api_key.get("BearerToken") or "")
    know(token.partition(" ")[2] or token, config.password)
    know_url(config.host)


class _plain_words:  # noqa: N801 (reads as a statement)
    """Turns the package's exceptions, whose text may hold secrets, into our own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, CockpitError) or not isinstance(error, Exception):
            return
        raise Unauthorized(f"the kubeconfig's credentials could not be read ({_safe(error)}); log in again") from None


_SAFE = re.compile(r"Expected (?:key|object with name) [\w.-]+|File does not exist: \S+|Service \w+ file does not exist")


def _safe(error: BaseException) -> str:
    found = _SAFE.search(str(error))
    return clean(found.group()) if found else type(error).__name__


def open_access(context: str | None = None, kubeconfig: Path | None = None) -> Access:
    """The access that kubectl would take. UsageError for a missing file or context, Unauthorized for failing credentials."""
    where = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG") or "~/.kube/config"
    folder = Path(tempfile.gettempdir()) / f"cockpit-{os.getpid()}-{os.urandom(6).hex()}"
    if not _present(where):
        if context is None and kubeconfig is None and os.environ.get(SERVICE_HOST_ENV_NAME):
            with _plain_words():
                return Access(IN_CLUSTER, untyped(InClusterConfigLoader)(SERVICE_TOKEN_FILENAME, SERVICE_CERT_FILENAME), folder)
        raise UsageError(f"no kubeconfig: looked at {clean(where)}; set KUBECONFIG, or create one (aws eks update-kubeconfig)")
    merged = _read(where)
    chosen = _choose(merged, context, where)
    with _plain_words():
        loader = untyped(Loader)(merged, active_context=chosen, config_base_path=None, temp_file_path=str(folder))
        return Access(chosen, loader, folder)


def _present(where: str) -> bool:
    return any(Path(part).expanduser().is_file() for part in where.split(os.pathsep) if part)


def _read(where: str) -> Any:
    try:
        merged = untyped(KubeConfigMerger)(where).config
        merged["contexts"]
        return merged
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark else ""
        raise UsageError(f"kubeconfig {clean(where)} is no valid YAML{line}") from None
    except (ConfigException, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"kubeconfig {clean(where)} cannot be used ({_safe(error)})") from None


def _choose(merged: Any, context: str | None, where: str) -> str:
    names = [str(entry["name"]) for entry in merged.value.get("contexts", [])]
    chosen = context or merged.value.get("current-context")
    if chosen in names:
        return str(chosen)
    known = ", ".join(clean(name, 80) for name in sorted(names)[:30]) or "none"
    what = f"there is no context {clean(str(chosen), 80)}" if chosen else "no context is chosen (current-context is not set)"
    raise UsageError(f"{what} in kubeconfig {clean(where)}; contexts there: {known}")


def _impersonation(loader: Any) -> dict[str, str]:
    user = getattr(loader, "_user", None)
    if not user or not user.safe_get("as"):
        return {}
    headers = {"Impersonate-User": str(user.safe_get("as"))}
    if user.safe_get("as-uid"):
        headers["Impersonate-Uid"] = str(user.safe_get("as-uid"))
    if user.safe_get("as-groups") or user.safe_get("as-user-extra"):
        # httpx would fold repeated headers of a dict into one; refusing is safer than acting as somebody else.
        raise UsageError("the kubeconfig's user impersonates groups or extras, which is not supported; impersonate by `as` alone")
    return headers
