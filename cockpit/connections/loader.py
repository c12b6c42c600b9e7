"""Reading a kubeconfig's user with the `kubernetes` package, its exec plugins run apart from the terminal. Blocking."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from kubernetes.config.dateutil import parse_rfc3339
from kubernetes.config.exec_provider import ExecProvider
from kubernetes.config.kube_config import KubeConfigLoader

from cockpit.connections import plugins
from cockpit.errors import Unauthorized, UsageError
from cockpit.redact import know, know_key
from cockpit.text import clean

PLUGIN_SECONDS = 60.0
"""An exec plugin that takes longer (wall time) has failed."""


def untyped(function: Any) -> Any:
    """The same function, of which nothing is known to a type checker."""
    # The package has annotations for its models only.
    return function


class Loader(KubeConfigLoader):
    """The package's loader with exec plugins run apart from the terminal."""

    def _load_from_exec_plugin(self) -> bool | None:
        user: Any = self._user
        cluster: Any = self._cluster
        if "exec" not in user:
            return None
        if named := plugins.of_user(user.value, user.path):
            plugins.check(named)
        plugin = untyped(ExecProvider)(user["exec"], untyped(self._get_base_path)(cluster.path), cluster)
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
        # None, too, when nothing is said this time: what was said of the one before is no longer true.
        told = status.get("expirationTimestamp")
        self.expiry = untyped(parse_rfc3339)(told) if told else None

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
