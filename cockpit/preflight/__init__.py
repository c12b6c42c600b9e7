"""Before the first write: is this the right cluster and account, may we do what the playbook asks, and who else writes there?

Every check is made, and every fault said at once. `preflight` raises what keeps a run from starting, `inspect` only tells it.
"""

from cockpit.preflight.identity import doubts, fix
from cockpit.preflight.permissions import optional, permissions
from cockpit.preflight.report import inspect, preflight

__all__ = ["doubts", "fix", "inspect", "optional", "permissions", "preflight"]
