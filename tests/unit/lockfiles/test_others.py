"""npm, Go, Rust and Java lockfiles: what can be known of them, and what they leave open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.audit.lockfiles import survey_lockfiles
from cockpit.errors import UsageError
from cockpit.model.audit import Mark, Row

SHARP = {
    "version": "0.33.5",
    "hasInstallScript": True,
    "optionalDependencies": {
        "@img/sharp-linux-x64": "0.33.5",
        "@img/sharp-linux-arm64": "0.33.5",
        "@img/sharp-win32-x64": "0.33.5",
    },
}
SHARP_X64 = {"version": "0.33.5", "optional": True, "os": ["linux"], "cpu": ["x64"]}
SHARP_ARM = {"version": "0.33.5", "optional": True, "os": ["linux"], "cpu": ["arm64"]}
SHARP_WIN = {"version": "0.33.5", "optional": True, "os": ["win32"], "cpu": ["x64"]}


async def rows(folder: Path, name: str, text: str) -> dict[str, Row]:
    path = folder / name
    path.write_text(text)
    found = await survey_lockfiles([path])
    return {row.component.removeprefix("dependency/").replace(str(path), name): row for row in found}


async def npm(folder: Path, packages: dict[str, Any]) -> dict[str, Row]:
    entries = {"": {"name": "payments"}} | {f"node_modules/{name}": entry for name, entry in packages.items()}
    return await rows(folder, "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": entries}, indent=2))


def marks(found: dict[str, Row]) -> dict[str, Mark]:
    return {component: row.mark for component, row in found.items()}


async def test_a_prebuilt_sibling_for_arm_passes(tmp_path: Path) -> None:
    packages = {
        "sharp": SHARP,
        "@img/sharp-linux-x64": SHARP_X64,
        "@img/sharp-linux-arm64": SHARP_ARM,
        "@img/sharp-win32-x64": SHARP_WIN,
        "express": {"version": "4.21.0"},
    }
    found = await npm(tmp_path, packages)
    assert marks(found) == {"npm/sharp@0.33.5": Mark.PASS, "npm/package-lock.json": Mark.PASS}
    assert "@img/sharp-linux-arm64" in found["npm/sharp@0.33.5"].status
    assert "1 package " in found["npm/package-lock.json"].status


async def test_a_lock_written_on_x86_lacks_the_sibling(tmp_path: Path) -> None:
    found = await npm(tmp_path, {"sharp": SHARP, "@img/sharp-linux-x64": SHARP_X64})
    assert marks(found) == {"npm/sharp@0.33.5": Mark.FIX}
    assert "@img/sharp-linux-arm64" in found["npm/sharp@0.33.5"].status


@pytest.mark.parametrize(
    ("entry", "mark"),
    [
        ({"version": "1.0.0"}, None),
        ({"version": "1.0.0", "hasInstallScript": True}, Mark.GATE),
        ({"version": "1.0.0", "cpu": ["x64"]}, Mark.FIX),
        ({"version": "1.0.0", "cpu": ["x64", "arm64"]}, None),
        ({"version": "1.0.0", "cpu": ["!arm64"]}, Mark.FIX),
        ({"version": "1.0.0", "cpu": ["x64"], "os": ["linux"], "optional": True}, Mark.GATE),
        ({"version": "1.0.0", "cpu": ["x64"], "os": ["darwin"], "optional": True}, None),
        ({"version": "1.0.0", "optionalDependencies": {"addon-linux-x64": "1"}}, Mark.FIX),
        ({"version": "1.0.0", "optionalDependencies": {"addon-linux-x64": "1"}, "hasInstallScript": True}, Mark.GATE),
    ],
)
async def test_a_package_by_itself(tmp_path: Path, entry: dict[str, Any], mark: Mark | None) -> None:
    packages = {"addon": entry} | ({"addon-linux-x64": SHARP_X64} if "optionalDependencies" in entry else {})
    found = await npm(tmp_path, packages)
    assert marks(found).get("npm/addon@1.0.0") is mark


async def test_known_offenders_come_with_what_helps_and_their_line(tmp_path: Path) -> None:
    found = await npm(tmp_path, {"bcrypt": {"version": "5.1.1", "hasInstallScript": True, "dev": True}})
    bcrypt = found["npm/bcrypt@5.1.1"]
    assert bcrypt.mark is Mark.GATE
    assert "npm rebuild on an arm64 runner" in bcrypt.action
    assert bcrypt.used_by == (f"{tmp_path}/package-lock.json:7",)
    assert "development" in bcrypt.notes[0]


async def test_two_places_of_one_version_are_one_row(tmp_path: Path) -> None:
    entry = {"version": "5.1.1", "hasInstallScript": True}
    found = await npm(tmp_path, {"bcrypt": entry, "other/node_modules/bcrypt": entry})
    assert list(found) == ["npm/bcrypt@5.1.1"]
    assert len(found["npm/bcrypt@5.1.1"].used_by) == 2


async def test_what_an_old_lock_does_not_tell_is_unknown(tmp_path: Path) -> None:
    tree = {"lockfileVersion": 1, "dependencies": {"a": {"version": "1", "dependencies": {"bcrypt": {"version": "5.1.1"}}}}}
    found = await rows(tmp_path, "package-lock.json", json.dumps(tree))
    assert marks(found) == {"npm/bcrypt@5.1.1": Mark.GATE, "npm/package-lock.json": Mark.UNKNOWN}


PNPM = """\
lockfileVersion: '9.0'
packages:
  esbuild@0.21.5:
    resolution: {integrity: sha512-0}
  '@esbuild/linux-arm64@0.21.5':
    resolution: {integrity: sha512-0}
    cpu: [arm64]
    os: [linux]
  '@esbuild/linux-x64@0.21.5':
    resolution: {integrity: sha512-0}
    cpu: [x64]
    os: [linux]
  canvas@2.11.2:
    resolution: {integrity: sha512-0}
  left-pad@1.3.0:
    resolution: {integrity: sha512-0}
snapshots:
  esbuild@0.21.5:
    optionalDependencies:
      '@esbuild/linux-arm64': 0.21.5
      '@esbuild/linux-x64': 0.21.5
"""


async def test_pnpm(tmp_path: Path) -> None:
    found = await rows(tmp_path, "pnpm-lock.yaml", PNPM)
    assert marks(found) == {"npm/esbuild@0.21.5": Mark.PASS, "npm/canvas@2.11.2": Mark.GATE, "npm/pnpm-lock.yaml": Mark.UNKNOWN}
    assert found["npm/canvas@2.11.2"].used_by == (f"{tmp_path}/pnpm-lock.yaml:13",)
    older = "lockfileVersion: '6.0'\npackages:\n  /bcrypt@5.1.1:\n    requiresBuild: true\n  /left-pad@1.3.0: {dev: false}\n"
    found = await rows(tmp_path, "pnpm-lock.yaml", older)
    assert marks(found) == {"npm/bcrypt@5.1.1": Mark.GATE, "npm/pnpm-lock.yaml": Mark.PASS}


YARN = """\
# yarn lockfile v1

bcrypt@^5.0.0, bcrypt@^5.1.0:
  version "5.1.1"
  resolved "https://registry.example.com/bcrypt"

"@scope/plain@^1.0.0":
  version "1.0.1"
"""


async def test_yarn(tmp_path: Path) -> None:
    found = await rows(tmp_path, "yarn.lock", YARN)
    assert marks(found) == {"npm/bcrypt@5.1.1": Mark.GATE, "npm/yarn.lock": Mark.UNKNOWN}
    assert found["npm/bcrypt@5.1.1"].used_by == (f"{tmp_path}/yarn.lock:3",)


GO_MOD = """\
module example.com/payments

go 1.22

require (
\tgithub.com/confluentinc/confluent-kafka-go/v2 v2.5.0
\tgithub.com/prometheus/client_golang v1.20.0 // indirect
)
require github.com/miekg/pkcs11 v1.1.1
replace github.com/mattn/go-sqlite3 => ../sqlite
"""


async def test_go(tmp_path: Path) -> None:
    found = await rows(tmp_path, "go.mod", GO_MOD)
    assert marks(found) == {
        "go/github.com/confluentinc/confluent-kafka-go/v2@v2.5.0": Mark.GATE,
        "go/github.com/miekg/pkcs11@v1.1.1": Mark.GATE,
        "go/go.mod": Mark.GATE,
    }
    assert found["go/github.com/miekg/pkcs11@v1.1.1"].used_by == (f"{tmp_path}/go.mod:9",)
    assert "GOARCH=arm64" in found["go/go.mod"].action
    total = "github.com/mattn/go-sqlite3 v1.14.0 h1:0=\ngithub.com/mattn/go-sqlite3 v1.14.0/go.mod h1:0=\n"
    assert list(await rows(tmp_path, "go.sum", total)) == ["go/github.com/mattn/go-sqlite3@v1.14.0"]


async def test_cargo(tmp_path: Path) -> None:
    names = ("serde", "openssl-sys", "windows-sys", "ring")
    text = "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n\n' for name in names)
    found = await rows(tmp_path, "Cargo.lock", text)
    assert marks(found) == {"cargo/openssl-sys@1.0.0": Mark.GATE, "cargo/ring@1.0.0": Mark.GATE, "cargo/Cargo.lock": Mark.GATE}
    assert found["cargo/ring@1.0.0"].used_by == (f"{tmp_path}/Cargo.lock:13",)
    assert "2 other crates" in found["cargo/Cargo.lock"].status
    assert "cargo build --target aarch64" in found["cargo/Cargo.lock"].action


POM = """\
<project>
  <properties><tc.version>2.0.65.Final</tc.version></properties>
  <dependencies>
    <dependency>
      <groupId>io.netty</groupId><artifactId>netty-tcnative-boringssl-static</artifactId>
      <version>${tc.version}</version><classifier>linux-x86_64</classifier>
    </dependency>
    <dependency><groupId>org.rocksdb</groupId><artifactId>rocksdbjni</artifactId><version>9.0.0</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>2.0.0</version></dependency>
  </dependencies>
</project>
"""


async def test_java(tmp_path: Path) -> None:
    found = await rows(tmp_path, "pom.xml", POM)
    assert marks(found) == {
        "maven/io.netty:netty-tcnative-boringssl-static:linux-x86_64@2.0.65.Final": Mark.FIX,
        "maven/org.rocksdb:rocksdbjni@9.0.0": Mark.GATE,
        "maven/pom.xml": Mark.UNKNOWN,
    }
    assert found["maven/org.rocksdb:rocksdbjni@9.0.0"].used_by == (f"{tmp_path}/pom.xml:8",)
    lock = (
        "# made by Gradle\norg.xerial.snappy:snappy-java:1.1.10.5=runtimeClasspath\norg.slf4j:slf4j-api:2.0.0=runtimeClasspath\n"
    )
    found = await rows(tmp_path, "gradle.lockfile", lock)
    assert marks(found) == {"maven/org.xerial.snappy:snappy-java@1.1.10.5": Mark.GATE, "maven/gradle.lockfile": Mark.GATE}


async def test_a_classifier_beside_the_x86_one_is_enough(tmp_path: Path) -> None:
    both = POM.replace(
        "    <dependency><groupId>org.rocksdb",
        "    <dependency><groupId>io.netty</groupId><artifactId>netty-tcnative-boringssl-static</artifactId>"
        "<version>2.0.65.Final</version><classifier>linux-aarch_64</classifier></dependency>\n"
        "    <dependency><groupId>org.rocksdb",
    )
    found = marks(await rows(tmp_path, "pom.xml", both))
    assert found["maven/io.netty:netty-tcnative-boringssl-static:linux-x86_64@2.0.65.Final"] is Mark.PASS
    assert found["maven/io.netty:netty-tcnative-boringssl-static:linux-aarch_64@2.0.65.Final"] is Mark.PASS


NAMES = [
    *("requirements.txt", "uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock", "package-lock.json", "pnpm-lock.yaml"),
    *("yarn.lock", "go.mod", "go.sum", "Cargo.lock", "gradle.lockfile", "pom.xml"),
]
PIECES = st.sampled_from(
    [
        *("[[package]]\n", 'name = "a"\n', 'version = "1"\n', "{", "}", '"packages":', "[", "]", ",", "packages:\n", "  a@1:\n"),
        *(
            "a==1",
            " --hash=sha256:",
            "\\\n",
            "require (",
            "github.com/a/b v1.0.0",
            "<dependency>",
            "</dependency>",
            "<a>",
            "&lt;",
        ),
        *("\x1b", "é", "\n"),
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), pieces=st.lists(PIECES, max_size=20))
async def test_any_text_gives_rows_or_a_place(tmp_path: Path, name: str, pieces: list[str]) -> None:
    try:
        found = await rows(tmp_path, name, "".join(pieces))
    except UsageError as error:
        assert f"{tmp_path}/{name}" in str(error)
    else:
        assert all(component.isprintable() for component in found)


async def test_a_file_without_bounds_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "uv.lock").open("wb") as file:
        file.truncate(33 << 20)
    with pytest.raises(UsageError, match="larger than 32 MB"):
        await survey_lockfiles([tmp_path / "uv.lock"])
    with pytest.raises(UsageError, match="more than 20,000 packages"):
        await rows(tmp_path, "requirements.txt", "a==1\n" * 20_002)
    with pytest.raises(UsageError, match="no valid JSON"):
        await rows(tmp_path, "package-lock.json", "[" * 200_000)
    with pytest.raises(UsageError, match=r"pnpm-lock.yaml:2: values are nested deeper than 50"):
        await rows(tmp_path, "pnpm-lock.yaml", "packages:\n  " + "[" * 200_000)
    with pytest.raises(UsageError, match=r"requirements.txt:2: this line has 200,006 characters"):
        await rows(tmp_path, "requirements.txt", "six==1.16.0\nfoo" + " " * 200_000 + "bar\n")
