"""package-lock.json, pnpm-lock.yaml and yarn.lock as packages.

Sources: npm's "package-lock.json"; pnpm's lockfile 5 to 9 and Yarn's (classic and Berry) as they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.audit.lockfiles.entries import Damaged, Place, most, name_of
from cockpit.audit.lockfiles.npm import Package
from cockpit.playbook.events import values
from cockpit.text import clean

_AGAIN = "lock it again; it is not edited by hand"
_KEY = re.compile(r'^\s*"((?:[^"\\]|\\.){1,500})"\s*:\s*\{')
_PNPM_KEY = re.compile(r"/?(?P<name>@[^/@]{1,200}/[^/@]{1,200}|[^/@]{1,200})[@/](?P<version>[^()_]{1,100})")
_YARN_HEAD = re.compile(r'^"?(?P<name>@[^/@"]{1,200}/[^/@"]{1,200}|[^@"\s]{1,200})@')
_YARN_VERSION = re.compile(r'^\s+"?version"?:?\s+"?([^"\s]{1,100})"?')
_YARN_WHEN = re.compile(r"^\s+conditions:\s*(.{1,300})")
_CONDITION = re.compile(r"(os|cpu)=([a-z0-9]{1,20})")


def document(text: str, file: str) -> dict[str, Any]:
    """A JSON object. Damaged with its line when it is none."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Damaged(Place(file, error.lineno), "this is no valid JSON", _AGAIN) from None
    except (RecursionError, ValueError):
        raise Damaged(Place(file), "this is no valid JSON", _AGAIN) from None
    if not isinstance(found, dict):
        raise Damaged(Place(file, 1), "this is no JSON object", _AGAIN)
    return found


def package_lock(text: str, file: str) -> list[Package]:
    """The packages of package-lock.json or npm-shrinkwrap.json, of any version."""
    root = document(text, file)
    lines = _lines(text)
    if isinstance(packages := root.get("packages"), dict):
        most(len(packages), Place(file))
        return [
            _package(path, entry, Place(file, lines.get(path, 0)))
            for path, entry in packages.items()
            if path and isinstance(entry, dict) and not entry.get("link") and "node_modules/" in path
        ]
    return list(_version_1(root.get("dependencies"), file, lines))


def _lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := _KEY.match(line):
            found.setdefault(match[1], number)
    return found


def _package(path: str, entry: Mapping[str, Any], place: Place) -> Package:
    alias = entry.get("name")
    return Package(
        name=name_of(alias if isinstance(alias, str) else path.rpartition("node_modules/")[2]),
        version=name_of(entry.get("version", "")),
        place=place,
        scripts=entry.get("hasInstallScript") is True,
        cpu=_words(entry.get("cpu")),
        os=_words(entry.get("os")),
        optional=entry.get("optional") is True or entry.get("devOptional") is True,
        dev=entry.get("dev") is True,
        prebuilt=_names(entry.get("optionalDependencies")),
    )


def _version_1(dependencies: object, file: str, lines: Mapping[str, int]) -> Iterator[Package]:
    """lockfileVersion 1: a tree that tells nothing of scripts and platforms."""
    waiting, count = [dependencies], 0
    while waiting:
        level = waiting.pop()
        for name, entry in level.items() if isinstance(level, dict) else ():
            if not isinstance(entry, dict):
                continue
            count += 1
            most(count, Place(file))
            waiting.append(entry.get("dependencies"))
            yield Package(
                name_of(name), name_of(entry.get("version", "")), Place(file, lines.get(name, 0)), dev=entry.get("dev") is True
            )


def pnpm(text: str, file: str) -> list[Package]:
    """The packages of pnpm-lock.yaml."""
    root = _yaml(text, file)
    packages, snapshots = root.get("packages"), root.get("snapshots")
    if not isinstance(packages, dict):
        return []
    most(len(packages), Place(file))
    tells = str(root.get("lockfileVersion", "")).startswith(("5", "6"))
    lines = {line.strip().rstrip(":").strip("'\""): n for n, line in reversed(list(enumerate(text.splitlines(), 1)))}
    wanted = _optional(snapshots)
    found = []
    for key, entry in packages.items():
        if isinstance(entry, dict) and (match := _PNPM_KEY.match(str(key))):
            found.append(_of_pnpm(match, entry, Place(file, lines.get(str(key), 0)), wanted, tells=tells))
    return found


def _of_pnpm(
    match: re.Match[str], entry: Mapping[str, Any], place: Place, wanted: Mapping[str, tuple[str, ...]], *, tells: bool
) -> Package:
    name, version = match["name"], match["version"]
    return Package(
        name=name_of(name),
        version=name_of(version),
        place=place,
        # Since version 9 nobody writes it down: which scripts may run is for package.json to say.
        scripts=entry.get("requiresBuild") is True if tells else None,
        cpu=_words(entry.get("cpu")),
        os=_words(entry.get("os")),
        optional=entry.get("optional") is True or bool(entry.get("cpu")),
        dev=entry.get("dev") is True,
        prebuilt=_names(entry.get("optionalDependencies")) or wanted.get(f"{name}@{version}", ()),
    )


def _optional(snapshots: object) -> dict[str, tuple[str, ...]]:
    """The optional dependencies of each `name@version`, as version 9 has them apart."""
    found: dict[str, tuple[str, ...]] = {}
    for key, entry in snapshots.items() if isinstance(snapshots, dict) else ():
        if isinstance(entry, dict) and (names := _names(entry.get("optionalDependencies"))):
            found.setdefault(str(key).partition("(")[0], names)
    return found


def _yaml(text: str, file: str) -> dict[str, Any]:
    import yaml

    try:
        found = values(text, aliases=False)  # whoever locks packages writes none
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Damaged(Place(file, line), clean(error.problem or "", 200) or "this is no valid YAML", _AGAIN) from None
    except yaml.YAMLError:
        raise Damaged(Place(file), "this is no valid YAML", _AGAIN) from None
    return found if isinstance(found, dict) else {}


def yarn(text: str, file: str) -> list[Package]:
    """The packages of yarn.lock: names, versions and, since Berry, platforms. It tells nothing of install scripts."""
    found: list[Package] = []
    name, version, conditions, at = "", "", "", 0
    for number, line in enumerate([*text.splitlines(), "end:"], 1):
        if line[:1] in (" ", ""):
            version = match[1] if not version and (match := _YARN_VERSION.match(line)) else version
            conditions = match[1] if (match := _YARN_WHEN.match(line)) else conditions
            continue
        if name and version and not version.startswith("0.0.0-use.local"):
            found.append(_of_yarn(name, version, conditions, Place(file, at)))
            most(len(found), Place(file, at))
        head = None if line.startswith("#") else _YARN_HEAD.match(line)
        name, version, conditions, at = head["name"] if head else "", "", "", number
    return found


def _of_yarn(name: str, version: str, conditions: str, place: Place) -> Package:
    when = dict(_CONDITION.findall(conditions))
    cpu, system = when.get("cpu"), when.get("os")
    return Package(
        name_of(name),
        name_of(version),
        place,
        cpu=(cpu,) if cpu else (),
        os=(system,) if system else (),
        optional=bool(cpu or system),
    )


def _words(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return tuple(name_of(one) for one in values[:50] if isinstance(one, str))


def _names(value: object) -> tuple[str, ...]:
    return tuple(name_of(one) for one in value) if isinstance(value, dict) else ()
