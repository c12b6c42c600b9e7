"""A real sshd on loopback as the current user: keys, host key and configuration of its own, in one private folder."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers import Missing
from tests.real.processes import Process, free_ports

PATIENCE = 15.0
GRACE = 5.0
CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AllowTcpForwarding no
X11Forwarding no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """Listens on `port`; keys are in `folder`."""

    port: int
    folder: Path

    def command(self, port: int, *remote: str) -> tuple[str, ...]:
        """The ssh client to it by way of a port (its own or a proxy's), with a terminal. `remote` goes to the shell there."""
        options = {
            "IdentityFile": str(self.folder / "user"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.folder / "known"),
            "StrictHostKeyChecking": "accept-new",
            "LogLevel": "ERROR",
            "Compression": "no",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ("ssh", "-tt", "-F", "none", *given, "-p", str(port), f"{getpass.getuser()}@127.0.0.1", *remote)


@contextmanager
def sshd() -> Iterator[Sshd]:
    """Started and answering; ended on leaving, with whoever is logged in. Missing where it is not installed."""
    binary = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    if binary is None or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        raise Missing("no sshd and ssh here (`apt-get install openssh-server` on Debian)")
    with tempfile.TemporaryDirectory(prefix="bench-sshd-") as text:
        folder, (port,) = Path(text), free_ports(1)
        for name in ("host", "user"):
            key = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
            subprocess.run(key, check=True, capture_output=True)
        (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
        _private_separation()
        process = Process("sshd", [binary, "-D", "-e", "-f", str(folder / "config")], folder)
        try:
            _wait(process, port)
            yield Sshd(port, folder)
        finally:
            process.stop(GRACE)


def _private_separation() -> None:
    """Where root runs it, sshd wants the empty folder that its service would have made."""
    folder = Path("/run/sshd")
    if getpass.getuser() == "root" and not folder.exists():
        folder.mkdir(mode=0o755)


def _wait(process: Process, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.alive:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Missing(f"sshd does not start: {process.last_words().strip()[-200:]}")
