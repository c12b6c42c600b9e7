"""Putting a flight together from a playbook: connections, levers, sources, journal."""

from __future__ import annotations

from cockpit.assembly.launching import launch
from cockpit.assembly.levers import crew
from cockpit.assembly.logbook import open_logbook, run_name
from cockpit.assembly.observed import permissions, sources
from cockpit.assembly.options import Options
from cockpit.assembly.servers import Connections, connect, connect_all, connect_to_look

__all__ = [
    "Connections",
    "Options",
    "connect",
    "connect_all",
    "connect_to_look",
    "crew",
    "launch",
    "open_logbook",
    "permissions",
    "run_name",
    "sources",
]
