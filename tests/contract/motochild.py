"""The child process that is moto's whole server: it prints its port, and ends when its standard input does."""

from __future__ import annotations

import os
import threading

from cockpit.rehearsal.awschild import make_server


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> None:
    server = make_server()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
