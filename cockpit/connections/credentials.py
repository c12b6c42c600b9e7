"""How to reach a cluster and who we are there, from a kubeconfig or from inside a pod. Blocking: call it off the event loop.

Kubeconfig, exec plugins, OIDC and in-cluster tokens are read by the `kubernetes` package. What is done here instead of by it:
an exec plugin never gets the terminal (a screen is on it), has a time limit, and its failure is an error rather than a line in
the log; impersonation is honoured; and messages are our own words, as the package's may quote whole users with their secrets.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
import time
from base64 import b64decode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.dateutil import parse_rfc3339
from kubernetes.config.exec_provider import ExecProvider
from kubernetes.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from cockpit.connections import plugins
from cockpit.errors import CockpitError, Unauthorized, UsageError
from cockpit.redact import know, know_key, know_named, know_url
from cockpit.text import clean

PLUGIN_SECONDS = 60.0
"""An exec plugin that takes longer (wall time) has failed."""
FRESH_SECONDS = 5.0
"""Credentials asked for again within this (wall time) are taken as they were."""
IN_CLUSTER = "in-cluster"


def _untyped(function: Any) -> Any:
    # The package has annotations for its models only.
    return function


class _Loader(KubeConfigLoader):
    """The package's loader with exec plugins run apart from the terminal."""

    def _load_from_exec_plugin(self) -> bool | None:
        user: Any = self._user
        cluster: Any = self._cluster
        if "exec" not in user:
            return None
        if named := plugins.of_user(user.value, user.path):
            plugins.check(named)
        plugin = _untyped(ExecProvider)(user["exec"], _untyped(self._get_base_path)(cluster.path), cluster)
        name = clean(Path(plugin.args[0]).name)
        status = _run_plugin(name, plugin)
        if not {"token", "clientCertificateData"} & status.keys():
            raise Unauthorized(f"credential plugin {name} gave neither a token nor a client certificate")
        self._take(status)
        return True

    def _load_auth_provider_token(self) -> Any:
        user: Any = self._user
        provider = user.value.get("auth-provider") if isinstance(user.value, dict) else None
        settings = provider.get("config") if isinstance(provider, dict) else None
        if isinstance(settings, dict) and settings.get("cmd-path"):
            # A command that no rule for plugins covers, which kubectl itself has dropped since.
            raise UsageError("the kubeconfig's auth-provider runs a command (cmd-path): not supported, use an exec plugin")
        return super()._load_auth_provider_token()  # type: ignore[no-untyped-call]

    def _take(self, status: dict[str, Any]) -> None:
        know(status.get("token"))
        know_key(status.get("clientKeyData"))
        if "token" in status:
            self.token = f"Bearer {status['token']}"
        else:
            self.cert_file = self._keep("certificate", status["clientCertificateData"])
            self.key_file = self._keep("key", status.get("clientKeyData", ""))
        if "expirationTimestamp" in status:
            self.expiry = _untyped(parse_rfc3339)(status["expirationTimestamp"])

    def _keep(self, name: str, text: str) -> str:
        path = Path(self._temp_file_path) / f"exec-{name}"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)


def _run_plugin(name: str, plugin: ExecProvider) -> dict[str, Any]:
    asked = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    if plugin.cluster:
        asked["spec"]["cluster"] = plugin.cluster.value
    environ = {**plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    hint = f"run `kubectl get namespaces` in a terminal to see why {name} fails"
    try:
        done = subprocess.run(
            plugin.args,
            cwd=plugin.cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PLUGIN_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise Unauthorized(f"credential plugin {name} is not installed or not on the PATH") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise Unauthorized(f"credential plugin {name} could not be run ({type(error).__name__}); {hint}") from None
    if done.returncode:
        raise Unauthorized(f"credential plugin {name} ended with exit code {done.returncode}; {hint}")
    try:
        status = json.loads(done.stdout)["status"]
    except (ValueError, KeyError, TypeError):
        status = None
    if not isinstance(status, dict):
        raise Unauthorized(f"credential plugin {name} printed no ExecCredential with a status; {hint}")
    return status


class _NamedHost(ssl.SSLContext):
    """A context that verifies the server as `name` (tls-server-name) whatever address was dialled, also through a proxy."""

    name: str | None = None

    def wrap_bio(
        self, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None, session: Any = None
    ) -> Any:
        """As the base class, with the name exchanged."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def _context(name: str | None) -> ssl.SSLContext:
    if name is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # anyio gives any other class a thread for each handshake
    else:
        context = _NamedHost(ssl.PROTOCOL_TLS_CLIENT)
        context.name = name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


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
        self._asked = -FRESH_SECONDS
        self._forced = -FRESH_SECONDS
        self._forget_files()

    def headers(self) -> dict[str, str]:
        """Headers that say who we are, renewed when the credentials are about to expire. Unauthorized when they cannot be."""
        with self._lock:
            hook = self._config.refresh_api_key_hook
            if hook and time.monotonic() - self._asked >= FRESH_SECONDS:
                with _plain_words():
                    hook(self._config)
                _know(self._config)
                self._asked = time.monotonic()
                self._forget_files()
            return self._headers()

    @property
    def fresh(self) -> bool:
        """`headers` will not block now."""
        return self._config.refresh_api_key_hook is None or time.monotonic() - self._asked < FRESH_SECONDS

    def renew(self) -> bool:
        """Fetch credentials anew after a refusal; False when that was done just now, so that it would not help."""
        with self._lock:
            if time.monotonic() - self._forced < FRESH_SECONDS:
                return False
            self._forced = time.monotonic()
            with _plain_words():
                self._reload()
            _know(self._config)
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
        context = _context(config.tls_server_name)
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
                return Access(IN_CLUSTER, _untyped(InClusterConfigLoader)(SERVICE_TOKEN_FILENAME, SERVICE_CERT_FILENAME), folder)
        raise UsageError(f"no kubeconfig: looked at {clean(where)}; set KUBECONFIG, or create one (aws eks update-kubeconfig)")
    merged = _read(where)
    chosen = _choose(merged, context, where)
    with _plain_words():
        loader = _untyped(_Loader)(merged, active_context=chosen, config_base_path=None, temp_file_path=str(folder))
        return Access(chosen, loader, folder)


def _present(where: str) -> bool:
    return any(Path(part).expanduser().is_file() for part in where.split(os.pathsep) if part)


def _read(where: str) -> Any:
    try:
        merged = _untyped(KubeConfigMerger)(where).config
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
