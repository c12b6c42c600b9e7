"""What the cockpit asks for is what it does: a permission that nobody grants, as nothing needs it, must not be warned of."""

from __future__ import annotations

import pytest

from cockpit.preflight import optional
from tests.factories import PLAYBOOK


@pytest.mark.parametrize("writes", [True, False])
def test_node_pools_are_listed_and_not_watched(writes: bool) -> None:
    asked = [permission.verb for permission in optional(PLAYBOOK, writes=writes) if permission.resource == "nodepools"]
    assert asked == ["list"]
