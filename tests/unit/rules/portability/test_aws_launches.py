"""Why launches failed, and what may be launched at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.audit import Mark
from cockpit.rules.portability.aws.launches import Activity, Failure, Launch, judge_launches, why_failed

ARM = Launch("ami-1", "arm64", "m7g.large", ("arm64",))
X86 = Launch("ami-2", "x86_64", "t3.micro", ("i386", "x86_64"))


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        (
            "You must use a valid launch template. The architecture 'x86_64' of the specified instance type does not "
            "match the architecture 'arm64' of the specified AMI. Specify an instance type and an AMI that have matching "
            "architectures, and try again.",
            Failure.ARCHITECTURE,
        ),
        (
            "The requested instance type's architecture (i386) does not match the architecture in the manifest for ami-6622f00f "
            "(x86_64). Launching ec2 instance failed.",
            Failure.ARCHITECTURE,
        ),
        (
            "We currently do not have sufficient m7g.large capacity in the Availability Zone you requested (us-east-1a). Our "
            "system will be working on provisioning additional capacity.",
            Failure.CAPACITY,
        ),
        (
            "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request.",
            Failure.CAPACITY,
        ),
        (
            "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available.",
            Failure.CAPACITY,
        ),
        ("Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded.", Failure.QUOTA),
        ("You have requested more vCPU capacity than your current vCPU limit of 32 allows for. VcpuLimitExceeded", Failure.QUOTA),
        ("4 instance(s) are already running. Launching EC2 instance failed.", Failure.QUOTA),
        ("The image id '[ami-4edb0327]' does not exist. Launching EC2 instance failed.", Failure.AMI),
        ("AMI ami-4edb0327 is pending, and cannot be run. Launching EC2 instance failed.", Failure.AMI),
        (
            "Your requested instance type (m7g.large) is not supported in your requested Availability Zone (us-east-1e).",
            Failure.UNSUPPORTED,
        ),
        ("The key pair deploy does not exist. Launching EC2 instance failed.", Failure.OTHER),
        ("", Failure.OTHER),
    ],
)
def test_a_failed_launch_by_its_message(message: str, failure: Failure) -> None:
    assert why_failed(message) is failure


def test_of_several_ways_to_launch_one_wrong_one_is_enough() -> None:
    wrong = Launch("ami-2", "x86_64", "m7g.large", ("arm64",))
    assert judge_launches([ARM, wrong]).mark is Mark.FIX
    assert judge_launches([ARM, X86]).mark is Mark.PASS
    assert judge_launches([]).mark is Mark.UNKNOWN


def test_a_capacity_stall_is_no_architecture_fault_and_a_wrong_ami_is_none_of_capacity() -> None:
    stalled = judge_launches([ARM], [Activity(True, "no Spot capacity")])
    assert (stalled.mark, "no architecture fault" in stalled.action) == (Mark.GATE, True)
    wrong = judge_launches([ARM], [Activity(True, "'arm64' does not match the architecture 'x86_64'")])
    assert (wrong.mark, "no capacity is missing" in wrong.action) == (Mark.FIX, True)


_archs = st.sampled_from(["arm64", "x86_64", "i386", ""])
_launches = st.lists(
    st.builds(
        lambda ami, archs: Launch("ami", ami, "type", tuple(a for a in archs if a), "" if ami and any(archs) else "not told"),
        _archs,
        st.lists(_archs, max_size=2),
    ),
    max_size=4,
)


@given(_launches, st.lists(st.builds(Activity, st.booleans(), st.text(max_size=40)), max_size=3))
def test_nothing_passes_that_is_not_known_to_start(launches: list[Launch], activities: list[Activity]) -> None:
    verdict = judge_launches(launches, activities)
    starts = bool(launches) and all(launch.ami_arch and launch.ami_arch in launch.archs for launch in launches)
    failed = bool(activities) and activities[0].failed
    assert (verdict.mark is Mark.PASS) == (starts and not failed)
    assert verdict.mark is Mark.PASS or verdict.action
