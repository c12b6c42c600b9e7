"""The audit's AWS operations are reads alone, and the policy for observers grants exactly these."""

from __future__ import annotations

import re
from pathlib import Path

import cockpit
from cockpit.audit.aws.operations import OPERATIONS, actions, policy

SHIPPED = Path(cockpit.__file__).parent.parent / "playbooks/rbac/audit-policy.json"
READS = re.compile(r"[a-z0-9]+:(Describe|List|Get|BatchGet)[A-Z][A-Za-z0-9]*")


def test_every_action_reads() -> None:
    assert len(OPERATIONS) > 30
    assert all(READS.fullmatch(operation.action) for operation in OPERATIONS)
    assert all(READS.fullmatch(action) for action in actions())
    assert all(re.fullmatch(r"(describe|list|get|batch_get)_[a-z0-9_]+", operation.method) for operation in OPERATIONS)


def test_the_shipped_policy_is_the_table() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == policy()


def test_every_operation_is_one_that_the_service_has_with_its_page_tokens() -> None:
    import botocore.session

    session = botocore.session.get_session()
    for operation in OPERATIONS:
        model = session.get_service_model(operation.client)
        names = {name.lower(): name for name in model.operation_names}
        found = model.operation_model(names[operation.method.replace("_", "")])
        if operation.token:
            assert found.input_shape is not None
            assert found.output_shape is not None
            assert operation.token in found.input_shape.members, operation
            assert operation.next_token in found.output_shape.members, operation
        elif found.output_shape is not None and operation.action.split(":")[1].startswith("List"):
            assert "NextToken" not in found.output_shape.members, operation
