"""Python lockfiles: each component's row by the lockfile alone, and by an index over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from cockpit.audit.lockfiles import survey_lockfiles
from cockpit.errors import UsageError
from cockpit.model.audit import Mark, Progress, Row
from tests.unit.lockfiles.index_server import Index, served, sha256

UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "payments"
version = "1.0"
source = { editable = "." }

[[package]]
name = "requests"
version = "2.32.3"
source = { registry = "https://pypi.example.com/simple" }
sdist = { url = "https://files.example.com/requests-2.32.3.tar.gz", hash = "sha256:0" }
wheels = [{ url = "https://files.example.com/requests-2.32.3-py3-none-any.whl", hash = "sha256:1" }]

[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "https://pypi.example.com/simple" }
wheels = [
    { url = "https://files.example.com/numpy-2.1.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl" },
    { url = "https://files.example.com/numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl" },
    { url = "https://files.example.com/numpy-2.1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl" },
]

[[package]]
name = "legacy-hsm"
version = "1.0.2"
source = { registry = "https://pypi.example.com/simple" }
wheels = [{ url = "https://files.example.com/legacy_hsm-1.0.2-cp311-cp311-manylinux1_x86_64.whl" }]

[[package]]
name = "docopt"
version = "0.6.2"
source = { registry = "https://pypi.example.com/simple" }
sdist = { url = "https://files.example.com/docopt-0.6.2.tar.gz" }

[[package]]
name = "pywin32"
version = "306"
source = { registry = "https://pypi.example.com/simple" }
wheels = [{ url = "https://files.example.com/pywin32-306-cp311-cp311-win_amd64.whl" }]

[[package]]
name = "forked"
version = "0.1"
source = { git = "https://git.example.com/forked?rev=1#1" }
"""
POETRY = """\
[[package]]
name = "grpcio"
version = "1.50.0"
optional = false
files = [
    {file = "grpcio-1.50.0-cp311-cp311-manylinux_2_17_x86_64.whl", hash = "sha256:0"},
    {file = "grpcio-1.50.0.tar.gz", hash = "sha256:1"},
]

[[package]]
name = "six"
version = "1.16.0"
files = [{file = "six-1.16.0-py2.py3-none-any.whl", hash = "sha256:0"}]

[metadata]
lock-version = "2.0"
python-versions = "^3.11"
"""
REQUIREMENTS = """\
--index-url https://elsewhere.example.com/simple
grpcio==1.50.0 \\
    --hash=sha256:{x86} \\
    --hash=sha256:{sdist}
    # via payments
six==1.16.0
pywin32==306 ; sys_platform == "win32"
fast-x86==1.0 ; platform_machine == "x86_64"
-r base.txt
boto3>=1.40
hsm @ https://files.example.com/hsm-2.0-cp311-cp311-linux_x86_64.whl
git+https://git.example.com/team/tool.git@v1
-e .
"""
GRPC_X86, GRPC_ARM, GRPC_SRC = (
    f"grpcio-1.50.0{tail}"
    for tail in ("-cp311-cp311-manylinux_2_17_x86_64.whl", "-cp311-cp311-manylinux_2_17_aarch64.whl", ".tar.gz")
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


async def rows(path: Path, index_url: str = "", **more: str) -> dict[str, Row]:
    return {row.component.partition("/")[2]: row for row in await survey_lockfiles([path], index_url, **more)}  # type: ignore[arg-type]


def marks(found: dict[str, Row]) -> dict[str, Mark]:
    return {component: row.mark for component, row in found.items()}


async def test_uv_lock_says_it_all_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "uv.lock", UV)
    found = await rows(path)
    assert marks(found) == {
        "pypi/numpy@2.1.0": Mark.PASS,
        "pypi/legacy-hsm@1.0.2": Mark.FIX,
        "pypi/docopt@0.6.2": Mark.GATE,
        "pypi/pywin32@306": Mark.PASS,
        "pypi/forked@0.1": Mark.GATE,
        f"pypi/{path}": Mark.PASS,
    }
    line = UV[: UV.index('name = "legacy-hsm"')].count("\n")
    assert found["pypi/legacy-hsm@1.0.2"].used_by == (f"{path}:{line}",)
    assert "1 of 6 packages" in found[f"pypi/{path}"].status


async def test_a_lock_for_one_platform_is_said_to_be_one(tmp_path: Path) -> None:
    text = UV.replace("version = 1\n", "version = 1\nsupported-markers = [\"platform_machine == 'x86_64'\"]\n", 1)
    found = await rows(write(tmp_path, "uv.lock", text))
    assert "some platforms only" in found["pypi/legacy-hsm@1.0.2"].status
    assert "lock it for aarch64" in found["pypi/legacy-hsm@1.0.2"].action


async def test_poetry_lock_with_and_without_an_index(tmp_path: Path) -> None:
    path = write(tmp_path, "poetry.lock", POETRY)
    alone = (await rows(path))["pypi/grpcio@1.50.0"]
    assert alone.mark is Mark.FIX
    assert "build it from source" in alone.action
    files = [
        GRPC_X86,
        "grpcio-1.51.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "grpcio-1.60.0rc1-cp311-cp311-manylinux_2_17_aarch64.whl",
        "grpcio-1.55.0-cp311-cp311-manylinux_2_17_aarch64.whl",
        "grpcio-1.60.0-cp311-cp311-manylinux_2_17_aarch64.whl",
        "grpcio-1.70.0-cp311-cp311-manylinux_2_17_aarch64.whl",
    ]
    yanked = frozenset({"grpcio-1.55.0-cp311-cp311-manylinux_2_17_aarch64.whl"})
    async with served(Index({"grpcio": files}, yanked)) as index:
        asked = (await rows(path, index.url))["pypi/grpcio@1.50.0"]
        assert index.asked == ["grpcio"]  # six is known to be pure by the lockfile
    assert "take 1.60.0, the next with aarch64 wheels" in asked.action


async def test_poetrys_older_form_lists_files_apart(tmp_path: Path) -> None:
    text = '[[package]]\nname = "a"\nversion = "1"\n[metadata.files]\na = [{file = "a-1-cp311-cp311-manylinux1_x86_64.whl"}]\n'
    assert marks(await rows(write(tmp_path, "poetry.lock", text))) == {"pypi/a@1": Mark.FIX}


async def test_pylock_and_pipfile(tmp_path: Path) -> None:
    pylock = (
        'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\n'
        'wheels = [{name = "a-1-cp311-cp311-manylinux1_x86_64.whl", hashes = {sha256 = "0"}}]\n'
    )
    assert marks(await rows(write(tmp_path, "pylock.toml", pylock))) == {"pypi/a@1": Mark.FIX}
    pipfile = '{"default": {\n"grpcio": {\n"version": "==1.50.0", "hashes": []},\n"payments": {"editable": true},'
    pipfile += '\n"nobody-knows": {"index": "pypi"}, "bare": "*"}, "develop": {}}'
    found = await rows(write(tmp_path, "Pipfile.lock", pipfile))
    assert marks(found) == dict.fromkeys(("pypi/grpcio@1.50.0", "pypi/nobody-knows", "pypi/bare"), Mark.UNKNOWN)
    assert found["pypi/grpcio@1.50.0"].used_by == (f"{tmp_path}/Pipfile.lock:2",)
    assert found["pypi/nobody-knows"].used_by == (f"{tmp_path}/Pipfile.lock:5",)
    assert "no version" in found["pypi/nobody-knows"].status


def requirements(tmp_path: Path) -> Path:
    return write(tmp_path, "requirements.txt", REQUIREMENTS.format(x86=sha256(GRPC_X86), sdist=sha256(GRPC_SRC)))


async def test_requirements_without_an_index_are_unknown_never_pass(tmp_path: Path) -> None:
    found = await rows(requirements(tmp_path))
    assert marks(found) == {
        "pypi/grpcio@1.50.0": Mark.UNKNOWN,
        "pypi/six@1.16.0": Mark.UNKNOWN,
        "pypi/pywin32@306": Mark.PASS,
        "pypi/fast-x86@1.0": Mark.GATE,
        "pypi/base.txt": Mark.UNKNOWN,
        "pypi/boto3": Mark.UNKNOWN,
        "pypi/hsm@2.0": Mark.FIX,
        "pypi/tool@source": Mark.GATE,
    }
    assert found["pypi/grpcio@1.50.0"].used_by == (f"{tmp_path}/requirements.txt:2",)
    assert "--index-url" in found["pypi/six@1.16.0"].action
    assert found["pypi/base.txt"].action == "give that file with --lockfile too"


async def test_a_line_of_blanks_is_read_in_a_moment(tmp_path: Path) -> None:
    # With regular expressions that look at every pair of blanks this would take longer than a test may.
    blanks = " " * 90_000
    for text in (f"a{blanks}b==1", f"a[x{blanks}b", f"a{blanks}[", f"a{blanks}@") * 8:
        with pytest.raises(UsageError, match="this is no requirement"):
            await rows(write(tmp_path, "requirements.txt", text))
    spaced = write(
        tmp_path, "requirements.txt", "six  [extra]  ==  1.16.0\nhsm [x] @ https://example.com/hsm.tar.gz\nboto3 [crt] >=1\n"
    )
    assert set(await rows(spaced)) == {"pypi/six@1.16.0", "pypi/hsm@source", "pypi/boto3"}


@pytest.mark.parametrize("html", [False, True])
async def test_hashes_of_x86_alone_keep_the_arm_wheel_out(tmp_path: Path, html: bool) -> None:
    files = {"grpcio": [GRPC_X86, GRPC_ARM, GRPC_SRC], "six": ["six-1.16.0-py2.py3-none-any.whl"]}
    path = requirements(tmp_path)
    async with served(Index(files, html=html)) as index:
        found = await rows(path, index.url)
    assert found["pypi/grpcio@1.50.0"].mark is Mark.FIX
    assert "hashes" in found["pypi/grpcio@1.50.0"].status
    assert "pypi/six@1.16.0" not in found
    assert found[f"pypi/{path}"].mark is Mark.PASS


async def test_an_index_knows_what_a_lock_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, "requirements.txt", "grpcio==1.50\nolder==1.0\ngone==9\nnowhere==1\n")
    files = {
        "grpcio": [GRPC_X86, GRPC_ARM],
        "older": ["older-1.0-cp311-cp311-manylinux1_x86_64.whl", "older-1.1-cp311-cp311-manylinux1_x86_64.whl"],
        "gone": ["gone-8-py3-none-any.whl"],
    }
    seen: list[Progress] = []
    async with served(Index(files)) as index:
        found = {r.component: r for r in await survey_lockfiles([path], index.url, say=seen.append)}
    assert found["dependency/pypi/grpcio@1.50"].mark is Mark.PASS
    assert found["dependency/pypi/older@1.0"].mark is Mark.FIX
    assert "no newer version" in found["dependency/pypi/older@1.0"].action
    assert found["dependency/pypi/gone@9"].mark is Mark.UNKNOWN
    assert found["dependency/pypi/nowhere@1"].mark is Mark.UNKNOWN
    assert seen[-1].total == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: web.Response(status=401), "refuses"),
        (lambda _: web.Response(status=500), "HTTP 500"),
        (lambda _: web.Response(text="{", content_type="application/json"), "no list of files"),
        (lambda _: web.Response(text='{"files": 3}', content_type="application/json"), "no list of files"),
        (lambda request: web.Response(status=302, headers={"Location": str(request.url)}), "from one place to the next"),
        (lambda _: web.Response(body=b"x" * (25 << 20), content_type="application/json"), "over 24 MB"),
    ],
)
async def test_an_index_that_misbehaves_leaves_it_unknown(tmp_path: Path, answer: object, words: str) -> None:
    path = write(tmp_path, "requirements.txt", "six==1.16.0\n")
    async with served(Index(answer=answer)) as index:  # type: ignore[arg-type]
        found = (await rows(path, index.url))["pypi/six@1.16.0"]
    assert found.mark is Mark.UNKNOWN
    assert words in found.status


async def test_an_index_that_asks_to_wait_is_asked_again(tmp_path: Path) -> None:
    path = write(tmp_path, "requirements.txt", "six==1.16.0\n")
    tries: list[int] = []

    def patience(_: web.Request) -> web.Response | None:
        tries.append(1)
        return web.Response(status=429, headers={"Retry-After": "0"}) if len(tries) < 3 else None

    async with served(Index({"six": ["six-1.16.0-py3-none-any.whl"]}, answer=patience)) as index:
        assert next(iter((await rows(path, index.url)).values())).mark is Mark.PASS
    assert len(tries) == 3


async def test_an_index_that_is_not_there_is_not_asked_for_each(tmp_path: Path) -> None:
    path = write(tmp_path, "requirements.txt", "".join(f"p{n}==1\n" for n in range(50)))
    async with served(Index()) as index:
        pass
    found = await rows(path, index.url)
    assert set(marks(found).values()) == {Mark.UNKNOWN}
    assert len(found) == 50


async def test_an_indexs_password_is_never_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "requirements.txt", "six==1.16.0\n")
    async with served(Index(answer=lambda _: web.Response(status=403))) as index:
        found = await rows(path, index.url.replace("://", "://robot:hunter2-secret@"))
    assert "hunter2" not in str(found)
    with pytest.raises(UsageError) as refused:
        await survey_lockfiles([path], "ftp://robot:hunter2-secret@index.example.com/simple")
    assert "hunter2" not in str(refused.value)


async def test_every_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "uv.lock", 'version = 1\n[[package]]\nname = "a\n'),
        write(tmp_path, "package-lock.json", '{"lockfileVersion": 3,\n"packages": {,}\n'),
        write(tmp_path, "requirements.txt", "six==1.16.0\n}{\n"),
        write(tmp_path, "pnpm-lock.yaml", "a: &x [1]\nb: *x\n"),
        write(tmp_path, "pom.xml", '<!DOCTYPE p [<!ENTITY a "b">]><project>&a;</project>'),
        write(tmp_path, "shopping.txt", ""),
        tmp_path / "poetry.lock",
    ]
    with pytest.raises(UsageError) as refused:
        await survey_lockfiles(paths)
    said = str(refused.value).splitlines()
    assert [line.removeprefix(f"{tmp_path}/").partition(" ")[0] for line in said] == [
        "uv.lock:3:",
        "package-lock.json:2:",
        "requirements.txt:2:",
        "pnpm-lock.yaml:2:",
        "pom.xml:",
        "shopping.txt:",
        "poetry.lock:",
    ]


async def test_a_hostile_name_cannot_reach_a_terminal(tmp_path: Path) -> None:
    text = '[[package]]\nname = "a\\u001b]52;c;eA==\\u0007\\u202e"\nversion = "1\\u001b[2J"\nwheels = []\n'
    (row,) = await survey_lockfiles([write(tmp_path, "uv.lock", text)])
    assert row.component.isprintable()
    assert "\x1b" not in str(row)


async def test_the_python_that_runs_it_leaves_no_doubt(tmp_path: Path) -> None:
    older = UV.replace('requires-python = ">=3.11"', "")
    path = write(tmp_path, "uv.lock", older)
    doubt = (await rows(path))["pypi/numpy@2.1.0"]
    assert doubt.mark is Mark.GATE
    assert "none for cp310" in doubt.status
    assert "--python" in doubt.action
    assert (await rows(path, python="3.11"))["pypi/numpy@2.1.0"].mark is Mark.PASS
    assert (await rows(path, python="3.10"))["pypi/numpy@2.1.0"].mark is Mark.FIX
