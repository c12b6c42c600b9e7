"""Layers as they stream by: whatever the chunks and the packing, the same is seen; what is hostile takes no memory."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.connections.registry.layers.chains import Seen
from cockpit.connections.registry.layers.scan import scan_layer
from cockpit.connections.registry.layers.source import Source, Unreadable
from cockpit.connections.registry.layers.tar import entries
from cockpit.connections.registry.layers.zips import members
from tests.layers import AMD64, ARM64, elf, jar, tar
from tests.unit.connections.streams import ROOM, budget, seen, source

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)
FILES = st.dictionaries(NAMES.map(lambda n: "f" + n.replace("/", "_")), st.binary(max_size=2000), max_size=8)


class TestTar:
    """The entries of an archive."""

    @given(FILES, st.integers(1, 4000), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), st.data())
    def test_is_read_as_tarfile_reads_it(self, files: dict[str, bytes], step: int, kind: int, data: st.DataObject) -> None:
        taken = data.draw(st.integers(0, 1000))
        found = {}
        for entry in entries(source(tar(files, kind=kind), step), budget()):
            head = entry.body.read(taken)
            found[entry.path] = head
            assert entry.size == len(files[entry.path])
        assert found == {name: body[:taken] for name, body in files.items()}

    def test_a_sparse_file_does_not_shift_what_follows(self) -> None:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as file:
            info = tarfile.TarInfo("sparse")
            info.type = tarfile.GNUTYPE_SPARSE
            info.size = 100
            head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
            head[482] = 1
            head[148:156] = b"%06o\0 " % (sum(head) - sum(head[148:156]) + 256)
            made.write(bytes(head) + bytes(504) + b"\1" + bytes(7) + bytes(512) + b"x" * 100 + bytes(412))
            file.offset = made.tell()
            file.addfile(tarfile.TarInfo("next"))
        assert [e.path for e in entries(source(made.getvalue()), budget())] == ["sparse", "next"]

    def test_a_size_in_binary_and_one_in_a_pax_header(self) -> None:
        info = tarfile.TarInfo("x")
        info.size = 9 << 30
        for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            first = next(iter(entries(source(info.tobuf(kind)), budget())))
            assert first.size == 9 << 30

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"0" * 512, "no tar"),
            (b"x" * 512, "damaged header"),
            (tar({"a": b"b" * 600})[:700], "in the middle"),
            (tar({"a": b"b"})[:100], "in the middle"),
        ],
        ids=["zeros in ASCII", "text", "cut in a file", "cut in a header"],
    )
    def test_what_is_none_is_refused(self, data: bytes, words: str) -> None:
        with pytest.raises(Unreadable, match=words):
            list(entries(source(data), budget()))

    def test_a_header_of_any_size_is_refused(self) -> None:
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, 1 << 40
        with pytest.raises(Unreadable, match="larger than any"):
            list(entries(source(info.tobuf(tarfile.GNU_FORMAT)), budget()))

    def test_more_files_than_anybody_reads(self) -> None:
        with pytest.raises(Unreadable, match="more files"):
            list(entries(source(tar({str(n): b"" for n in range(20)})), budget(files=10)))


class TestZip:
    """The members of a jar."""

    @given(FILES, st.integers(1, 4000), st.booleans(), st.data())
    def test_is_read_as_zipfile_reads_it(self, files: dict[str, bytes], step: int, streamed: bool, data: st.DataObject) -> None:
        taken = data.draw(st.integers(0, 1000))
        stored = data.draw(st.booleans()) and not streamed
        made = jar(files, streamed=streamed, stored=stored)
        found = {member.name: member.body.read(taken) for member in members(source(made, step), budget())}
        assert found == {name: body[:taken] for name, body in files.items()}

    def test_one_that_starts_with_a_script(self) -> None:
        made = b"#!/bin/sh\nexec java -jar $0\n" + jar({"a": b"b"})
        assert [m.name for m in members(source(made), budget())] == ["a"]

    def test_zip64(self) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as file, file.open("a", "w", force_zip64=True) as member:
            member.write(b"hello")
        assert [m.body.read(9) for m in members(source(made.getvalue()), budget())] == [b"hello"]

    @pytest.mark.parametrize(
        "data",
        [
            jar({"a": b"b" * 5000})[:60],
            jar({"a": b"b"})[:33] + b"\xff" * 50,
            b"PK\x05\x05" + bytes(40),
            jar({"a": b"b"}, streamed=True, stored=True),
            bytearray(jar({"a": b"b"}, streamed=False)).replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0"),
        ],
        ids=["cut", "damaged", "no archive", "stored stream", "encrypted"],
    )
    def test_what_cannot_be_read_is_said(self, data: bytes) -> None:
        with pytest.raises(Unreadable):
            for member in members(source(bytes(data)), budget()):
                member.body.read(10)


class TestUnpacking:
    """gzip, zstd and neither."""

    @pytest.mark.parametrize(
        "pack",
        [
            lambda data: data,
            gzip.compress,
            lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]),
            lambda data: gzip.compress(data) + bytes(512),
        ],
    )
    @pytest.mark.parametrize("step", [1, 7, 4096])
    def test_the_same_whatever_it_is_packed_with(self, pack: Callable[[bytes], bytes], step: int) -> None:
        found = seen(pack(tar({"bin/x": elf(AMD64), "etc/y": b"y" * 3000, "bin/z": elf(ARM64)})), step=step)
        assert sorted(found.files) == ["bin/x", "bin/z"] and not found.unread

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\xfd7zXZ\0\0", "xz"),
            (b"BZh91AY", "bzip2"),
            (gzip.compress(tar({"a": b"b"}))[:50], "in the middle"),
            (gzip.compress(tar({"a": b"b"}))[:20] + b"\xff" * 90, "damaged"),
            (b"neither a tar nor packed", "in the middle"),
        ],
        ids=["xz", "bzip2", "cut", "damaged", "neither"],
    )
    def test_what_cannot_be_read_is_said(self, data: bytes, words: str) -> None:
        found = seen(data)
        assert not found.files and words in found.unread[0]

    @pytest.mark.skipif(find_spec("compression") is not None, reason="this Python unpacks zstd")
    def test_zstd_without_a_python_that_has_it(self) -> None:
        assert "3.14" in seen(b"\x28\xb5\x2f\xfd" + bytes(20)).unread[0]

    def test_a_bomb_is_bounded_in_bytes_and_in_memory(self) -> None:
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(64)) + bomb.flush()
        inner = jar({"deep.jar": jar({"zeros": bytes(32 << 20)})})
        tracemalloc.start()
        small = scan_layer(source(packed), Seen(), budget(1 << 20))
        nested = scan_layer(source(tar({"a.jar": inner})), Seen(), budget(8 << 20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "more bytes" not in str(small.unread), "zeros are the end of a tar: nothing of it is unpacked"
        assert "more bytes" in nested.unread[0]
        assert peak < 4 << 20

    def test_one_that_nobody_wants_any_more_ends_inside_of_a_chunk(self) -> None:
        room = budget()

        def fill() -> bytes:
            room.stopped = True
            return packed

        packed = gzip.compress(tar({"a.jar": jar({"zeros": bytes(8 << 20)})}))
        with pytest.raises(InterruptedError):
            scan_layer(Source(fill), Seen(), room)
        assert room.left == ROOM

    @settings(max_examples=200)
    @given(st.binary(max_size=3000), st.sampled_from([b"", b"\x1f\x8b\x08", b"PK\x03\x04"]))
    def test_no_bytes_make_it_fail(self, data: bytes, head: bytes) -> None:
        assert not seen(head + data).files or data
        seen(tar({"x.jar": head + data, "y": b"\x7fELF" + data}))

    @given(st.data())
    def test_no_damage_makes_it_fail(self, data: st.DataObject) -> None:
        whole = bytearray(tar({"a.jar": jar({"x": elf(AMD64), "y.jar": jar({"z": elf(ARM64)})}), "b": elf(AMD64)}))
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        seen(bytes(whole))
