"""What others have changed since a run began: told from whatever anybody has written on the target."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cockpit.model.managed import Manager
from cockpit.rules.original import ORIGINAL
from cockpit.rules.others import began, others
from tests.factories import deployment

RUN = "payments-api-20261122T020000Z-1f3a"
SCALED = Manager("kubectl-edit", datetime(2026, 11, 22, 2, 10, tzinfo=UTC), "", {"f:spec": {"f:replicas": {}}})
MOVED = deployment(annotations={ORIGINAL: "null"}, managers=(SCALED,))


def test_a_field_that_another_has_written_since_is_named_with_its_writer() -> None:
    assert others(MOVED, RUN) == (f"spec.replicas of deployment/{MOVED.name} by kubectl-edit at 02:10:00",)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "by hand",
        "x-99999999T999999Z-abcd",
        "x-20260230T020000Z-abcd",
        "x-20261122T240000Z-abcd",
        "x-\u0662\u0660\u0662\u0666\u0661\u0661\u0662\u0662T\u0660\u0662\u0660\u0660\u0660\u0660Z-abcd",
        "x-\u00b2\u2070\u00b2\u2076\u00b9\u00b9\u00b2\u00b2T020000Z-abcd",
        RUN + "\n",
    ],
)
def test_a_name_of_another_form_is_no_moment_and_no_error(odd: str) -> None:
    assert began(odd) is None
    assert others(MOVED, odd) == ()
