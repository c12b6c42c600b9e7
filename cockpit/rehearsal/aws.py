"""The moto server as a child process: started first because it is the slowest, and never outliving its world."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

from cockpit.errors import Unreachable
from cockpit.model.arch import Arch
from cockpit.rehearsal.awsseed import Order

START_TIMEOUT = 30.0
"""Wall seconds to wait for the child: it takes one, unless the machine is very busy."""
STOP_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Account:
    """The embedded AWS account: where moto listens and what was made in it."""

    port: int
    listeners: tuple[str, ...]
    rules: tuple[str, ...]
    target_groups: dict[Arch, str]


class AwsChild:
    """A moto server that is importing or serving."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    def spawn(cls) -> AwsChild:
        """Start the process; returns at once."""
        environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
        command = [sys.executable, "-m", "cockpit.rehearsal.awschild"]
        quiet = subprocess.DEVNULL
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, env=environment))

    async def order(self, order: Order) -> Account:
        """Say what to hold, and wait until it is served. Unreachable when the process died or is too slow."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._exchange, order), START_TIMEOUT)
        except TimeoutError:
            self.stop()
            raise Unreachable(f"the embedded AWS endpoint (moto) did not start within {START_TIMEOUT:.0f} s") from None
        except (OSError, ValueError) as error:
            self.stop()
            raise Unreachable(f"the embedded AWS endpoint (moto) did not start: {error}") from error

    def _exchange(self, order: Order) -> Account:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise ValueError("its pipes are closed")
        process.stdin.write(json.dumps(asdict(order)) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise ValueError(f"the process ended with status {process.wait()}")
        said = json.loads(line)
        groups = {Arch(a): arn for a, arn in said["target_groups"].items()}
        return Account(said["port"], tuple(said["listeners"]), tuple(said["rules"]), groups)

    def stop(self) -> None:
        """End the process and wait for it."""
        process = self._process
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
