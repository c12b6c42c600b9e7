"""What in a layer is native code and for what, and what upper layers do to lower ones."""

from __future__ import annotations

import pytest

from cockpit.connections.registry.layers import scan
from cockpit.connections.registry.layers.chains import REMEMBERED, Chains, Seen
from cockpit.connections.registry.layers.elf import kind_of, machine, named
from cockpit.model.layers import Native, NativeKind
from tests.layers import AMD64, ARM64, BPF, I386, OBJECT, S390X, elf, jar, layer, tar
from tests.unit.connections.streams import arches, budget, seen, source


class TestFiles:
    """What is native code, and for what."""

    @pytest.mark.parametrize(
        ("head", "path", "arch"),
        [
            (elf(AMD64), "x", "amd64"),
            (elf(ARM64), "x", "arm64"),
            (elf(ARM64, big=True), "x", "arm64be"),
            (elf(I386), "x", "386"),
            (elf(S390X, big=True), "x", "s390x"),
            (elf(21), "x", "ppc64le"),
            (elf(9999), "x", "machine 9999"),
            (elf(BPF), "x", ""),
            (elf(AMD64, OBJECT), "x.o", ""),
            (elf(AMD64, OBJECT), "falcon.ko", "amd64"),
            (b"\x7fELF", "x", ""),
            (b"#!/bin/sh" + bytes(30), "x", ""),
        ],
    )
    def test_a_header_tells_the_machine(self, head: bytes, path: str, arch: str) -> None:
        assert machine(head, path) == arch

    @pytest.mark.parametrize(
        ("path", "archived", "kind", "tag"),
        [
            ("usr/bin/java", False, NativeKind.PROGRAM, ""),
            ("usr/lib/libc.so.6", False, NativeKind.LIBRARY, ""),
            ("linux/libx.so", True, NativeKind.JNI, ""),
            ("a/_x.cpython-312-x86_64-linux-gnu.so", False, NativeKind.PYTHON, "amd64"),
            ("a/_x.cpython-311-aarch64-linux-musl.so", False, NativeKind.PYTHON, "arm64"),
            ("a/_x.pypy39-pp73-x86_64-linux-gnu.so", False, NativeKind.PYTHON, "amd64"),
            ("a/_rust.abi3.so", False, NativeKind.PYTHON, ""),
            ("b/re2.node", False, NativeKind.NODE, ""),
            ("lib/modules/x.ko", False, NativeKind.MODULE, ""),
        ],
    )
    def test_a_name_tells_how_it_is_loaded(self, path: str, archived: bool, kind: NativeKind, tag: str) -> None:
        assert (kind_of(path, archived=archived), named(path)) == (kind, tag)

    def test_jars_are_opened_two_deep_and_deeper_ones_are_said(self) -> None:
        inner = jar({"libx.so": elf(AMD64)})
        for depth in range(4):
            inner = jar({f"{depth}.jar": inner})
        assert arches(layer({"a.war": jar({"WEB-INF/lib/b.jar": jar({"libx.so": elf(AMD64)})})})) == {
            "/a.war!/WEB-INF/lib/b.jar!/libx.so": "amd64"
        }
        found = seen(layer({"deep.jar": inner, "next": elf(ARM64)}))
        assert list(found.files) == ["next"]
        assert found.unread == ("/deep.jar!/3.jar!/2.jar!/1.jar: it is an archive deeper in others than is read",)

    @pytest.mark.parametrize(
        "before", [b"JUNK", b"#!/bin/sh\n" + bytes(200_000), bytes((1 << 16) - 2)], ids=["junk", "script", "across pieces"]
    )
    def test_a_jar_is_one_whatever_comes_before_it(self, before: bytes) -> None:
        made = before + jar({"libx.so": elf(AMD64)})
        assert arches(layer({"a.jar": made, "b.jar": jar({"c.jar": made})})) == {
            "/a.jar!/libx.so": "amd64",
            "/b.jar!/c.jar!/libx.so": "amd64",
        }

    def test_names_of_archives_hide_no_programs(self) -> None:
        launcher = elf(AMD64) + jar({"libx.so": elf(ARM64)})
        assert arches(layer({"agent.jar": elf(AMD64), "run.egg": elf(AMD64), "self.par": launcher, "empty.war": b""})) == {
            "/agent.jar": "amd64",
            "/run.egg": "amd64",
            "/self.par": "amd64",
            "/self.par!/libx.so": "arm64",
        }
        assert arches(layer({"a.jar": jar({"b.jar": elf(AMD64)})})) == {"/a.jar!/b.jar": "amd64"}

    def test_a_damaged_jar_is_said_and_the_rest_is_read(self) -> None:
        found = seen(layer({"a.jar": jar({"x": elf(AMD64) * 20})[:60], "no.jar": b"text", "b": elf(ARM64)}))
        assert list(found.files) == ["b"]
        assert found.unread == ("/a.jar: it ends in the middle",)

    def test_hostile_names_are_cleaned(self) -> None:
        (path,) = arches(layer({"\x1b]0;x\x07\u202ey": elf(AMD64)}))
        assert path.isprintable() and "\\u202e" in path

    def test_more_native_files_than_anybody_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scan, "MOST_NATIVES", 5)
        found = seen(layer({str(n): elf(ARM64) for n in range(9)}))
        assert len(found.files) == 5 and "more than 5" in found.unread[0]


class TestLayers:
    """What upper layers do to lower ones."""

    BELOW = tar({"opt/old/x": elf(AMD64), "opt/new": elf(ARM64), "bin/sh": elf(AMD64)})

    @pytest.mark.parametrize(
        ("upper", "left"),
        [
            ({"opt/.wh.old": b""}, {"/opt/new", "/bin/sh"}),
            ({"opt/.wh..wh..opq": b"", "opt/new": elf(ARM64)}, {"/opt/new", "/bin/sh"}),
            ({".wh..wh..opq": b""}, set()),
            ({".wh.opt": b"", "opt/y": elf(ARM64)}, {"/opt/y", "/bin/sh"}),
            ({"./opt/old/.wh.x": b""}, {"/opt/new", "/bin/sh"}),
            ({"opt/old/x": b"a script now"}, {"/opt/new", "/bin/sh"}),
            ({"opt/old": b"a file now"}, {"/opt/new", "/bin/sh"}),
            ({"opt/old/": b""}, {"/opt/old/x", "/opt/new", "/bin/sh"}),
            ({"bin/sh/": b""}, {"/opt/old/x", "/opt/new"}),
            ({"opt/.wh..wh.plnk": b""}, {"/opt/old/x", "/opt/new", "/bin/sh"}),
            ({".wh.op": b""}, {"/opt/old/x", "/opt/new", "/bin/sh"}),
            ({".wh.": b""}, {"/opt/old/x", "/opt/new", "/bin/sh"}),
            ({"opt/old/.wh..wh..opq": b"", "bin/.wh..wh..opq": b""}, {"/opt/new"}),
        ],
    )
    def test_what_is_taken_away_is_gone(self, upper: dict[str, bytes], left: set[str]) -> None:
        assert set(arches(self.BELOW, tar(upper))) == left

    def test_a_whiteout_leaves_what_its_own_layer_brings(self) -> None:
        assert arches(self.BELOW, tar({"opt/old/z": elf(ARM64), "opt/.wh.old": b""})).keys() == {
            "/opt/old/z",
            "/opt/new",
            "/bin/sh",
        }

    def test_whiteouts_look_at_no_path_that_they_do_not_take(self) -> None:
        """A layer of very many of them is no matter of their number times that of the files below."""
        looked = []

        class Path(str):
            __slots__ = ()

            def startswith(self, *what: object) -> bool:
                looked.append(self)
                return super().startswith(*what)  # type: ignore[arg-type]

        below = Seen({Path(f"f{n}/x"): (Native(f"/f{n}/x", "amd64", NativeKind.PROGRAM),) for n in range(50)})
        upper = tar({f"f{n}/.wh..wh..opq": b"" for n in range(1, 50)} | {"none/.wh..wh..opq": b""})
        assert list(scan.scan_layer(source(upper), below, budget()).files) == ["f0/x"]
        assert len(looked) <= 50

    def test_another_name_of_a_file_stays_when_the_first_goes(self) -> None:
        link = tar({}, {"usr/y": "opt/old/x"})
        assert arches(self.BELOW, link, tar({".wh.opt": b""})) == {"/bin/sh": "amd64", "/usr/y": "amd64"}

    def test_layers_that_were_read_are_remembered_from_the_lowest_up(self) -> None:
        chains = Chains()
        one = Seen({"x": (Native("/x", "amd64", NativeKind.PROGRAM),)})
        chains.keep(("a",), one)
        chains.keep(("a", "b"), Seen())
        assert chains.longest(("a", "b", "c")) == (2, Seen())
        assert chains.longest(("a", "c")) == (1, one)
        assert chains.longest(("b",)) == (0, Seen())
        for number in range(REMEMBERED):
            chains.keep((str(number),), Seen())
        assert chains.longest(("a",)) == (0, Seen())
