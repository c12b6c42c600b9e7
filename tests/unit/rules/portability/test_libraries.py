"""The rows of a layer scan: which foreign files stand in the way, and which are the other half of a bundle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.arch import Arch
from cockpit.model.audit import Mark
from cockpit.model.layers import Native, NativeKind, Scan
from cockpit.rules.portability.libraries import MOST_ROWS, rows_of_scan, twins

REFERENCE = "registry.example.com/payments/api:1"
PATHS = st.sampled_from(["/a", "/linux-x64/a", "/linux-arm64/a", "/x.jar!/linux64/a.so", "/x.jar!/aarch64/a.so", "/y.jar!/a.so"])
NATIVES = st.lists(
    st.builds(Native, path=PATHS, arch=st.sampled_from(["amd64", "arm64", "s390x"]), kind=st.sampled_from(NativeKind)), max_size=9
).map(tuple)


def native(path: str, arch: str = "amd64", named: str = "") -> Native:
    return Native(path, arch, NativeKind.LIBRARY, named)


def scan(*natives: Native, unread: tuple[str, ...] = (), why: str = "") -> Scan:
    return Scan(REFERENCE, "sha256:1", 2, 1000, natives, unread, why)


@pytest.mark.parametrize(
    ("inside", "foreign", "ours"),
    [
        ("/app.jar!/org/xerial/snappy/native/Linux/", "x86_64/libsnappyjava.so", "aarch64/libsnappyjava.so"),
        ("/app.jar!/com/sun/jna/", "linux-x86-64/libjnidispatch.so", "linux-aarch64/libjnidispatch.so"),
        ("/app.jar!/", "librocksdbjni-linux64.so", "librocksdbjni-linux-aarch64.so"),
        (
            "/lib/",
            "netty-4.1-linux-x86_64.jar!/native/libepoll_x86_64.so",
            "netty-4.1-linux-aarch_64.jar!/native/libepoll_aarch_64.so",
        ),
        ("/app.jar!/net/jpountz/util/linux/", "amd64/liblz4-java.so", "aarch64/liblz4-java.so"),
        ("/n/prebuilds/", "linux-x64/node.napi.musl.node", "linux-arm64/node.napi.armv8.node"),
        ("/n/@img/", "sharp-linux-x64/lib/sharp-linux-x64.node", "sharp-linux-arm64/lib/sharp-linux-arm64.node"),
        ("/usr/lib/", "x86_64-linux-gnu/libz.so.1", "aarch64-linux-gnu/libz.so.1"),
        ("/v/", "a.cpython-312-x86_64-linux-gnu.so", "a.cpython-312-aarch64-linux-gnu.so"),
        ("/app.jar!/x/", "Linux-Musl/x86/libsqlitejdbc.so", "Linux/aarch64/libsqlitejdbc.so"),
    ],
)
def test_bundles_have_both(inside: str, foreign: str, ours: str) -> None:
    other, twin = native(inside + foreign), native(inside + ours, "arm64")
    assert twins([other, twin], Arch.ARM64) == ([], [other])
    (row,) = rows_of_scan(scan(other, twin), Arch.ARM64)
    assert row.mark is Mark.PASS and other.path in row.notes[0]


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("/opt/venv/bin/python", "/usr/bin/python"),
        ("/one.jar!/linux-x86_64/libx.so", "/two.jar!/linux-aarch64/libx.so"),
        ("/v/a.cpython-312-x86_64-linux-gnu.so", "/v/b.cpython-312-aarch64-linux-gnu.so"),
        ("/app/charm", "/app/ch"),
        ("/usr/local/bin/agent", "/usr/local/bin/agent-arm64"),
        ("/app/lib/libpay.so", "/app/lib/aarch64/libpay.so"),
        ("/opt/linux/agent", "/opt/linux-arm64/agent"),
        ("/app.jar!/lib/libpay.so", "/app.jar!/lib/aarch64/libpay.so"),
        ("/usr/lib/x86_64-linux-gnu/libpay.so", "/usr/lib/x86_64-linux-gnu/aarch64/libpay.so"),
        ("/opt/x86_64/app.jar!/lib/libpay.so", "/opt/x86_64/app.jar!/lib/aarch64/libpay.so"),
    ],
)
def test_the_same_name_elsewhere_is_no_twin(foreign: str, ours: str) -> None:
    assert twins([native(foreign), native(ours, "arm64")], Arch.ARM64) == ([native(foreign)], [])


def test_what_has_the_plain_name_may_be_the_one_for_the_target() -> None:
    other, ours = native("/usr/local/bin/agent-x86_64"), native("/usr/local/bin/agent", "arm64")
    assert twins([other, ours], Arch.ARM64) == ([], [other])


def test_an_extension_that_is_named_for_another_machine_is_not_loaded() -> None:
    odd = native("/v/a.cpython-312-x86_64-linux-gnu.so", "arm64", "amd64")
    (row,) = rows_of_scan(scan(odd), Arch.ARM64)
    assert row.mark is Mark.FIX and "named for amd64" in row.status


def test_each_blocker_has_a_row_and_many_are_summed() -> None:
    few = [native(f"/opt/{n}") for n in range(MOST_ROWS)]
    rows = rows_of_scan(scan(*few, native("/ok", "arm64")), Arch.ARM64)
    assert [r.component for r in rows] == [f"library/{REFERENCE}//opt/{n}" for n in range(MOST_ROWS)]
    assert all(r.mark is Mark.FIX and r.action for r in rows)
    (summed,) = rows_of_scan(
        scan(*few, native("/opt/more"), native("/ok", "arm64"), unread=("/a.jar: it is damaged",)), Arch.ARM64
    )
    assert summed.component == f"library/{REFERENCE}"
    assert summed.status.startswith(
        "6 of 7 native files are not for arm64 (6 amd64): /opt/0, /opt/1, /opt/2, …; could not be read"
    )
    (lying,) = rows_of_scan(scan(*few, native("/opt/more")), Arch.ARM64)
    assert "none of its 6 native files is" in lying.status


def test_what_could_not_be_read_is_never_clean() -> None:
    (why,) = rows_of_scan(scan(why="connection refused"), Arch.ARM64)
    (unread,) = rows_of_scan(scan(native("/ok", "arm64"), unread=("a layer: it is packed with xz",) * 5), Arch.ARM64)
    assert (why.mark, unread.mark) == (Mark.UNKNOWN, Mark.UNKNOWN)
    assert unread.status.endswith("and 2 more")
    both = rows_of_scan(scan(native("/bad"), unread=("x",)), Arch.ARM64)
    assert [r.mark for r in both] == [Mark.FIX, Mark.UNKNOWN]


@given(NATIVES, st.booleans())
def test_it_passes_only_when_each_foreign_file_has_its_twin(natives: tuple[Native, ...], unread: bool) -> None:
    blockers, bundled = twins(natives, Arch.ARM64)
    foreign = [n for n in natives if n.arch != "arm64"]
    assert sorted(map(repr, [*blockers, *bundled])) == sorted(map(repr, foreign))
    assert not bundled or any(n.arch == "arm64" for n in natives)
    rows = rows_of_scan(scan(*natives, unread=("x",) * unread), Arch.ARM64)
    assert rows and all(r.mark is Mark.PASS for r in rows) == (not blockers and not unread)
