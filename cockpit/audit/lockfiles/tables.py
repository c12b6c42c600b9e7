"""uv.lock, poetry.lock and pylock.toml: TOML tables of packages with the names of their files.

Sources: uv's lockfile as `uv lock` writes it (version 1), Poetry's (lock-version 1 and 2), PEP 751 for pylock.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from cockpit.audit.lockfiles.entries import Damaged, Place, Python, most, name_of

Table: TypeAlias = Mapping[str, Any]
_AT = re.compile(r"at line ([0-9]{1,9})")
_LEAST = re.compile(r"(?:>=|\^|~=?|==)\s*([0-9]\.[0-9]{1,3})")
_PYPROJECT = ("editable", "virtual", "directory")


def toml(text: str, file: str) -> Table:
    """The whole document. Damaged with its line when it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        raise Damaged(
            Place(file, int(at[1]) if at else 0), "this is no valid TOML", "lock it again; it is not edited by hand"
        ) from None
    except (RecursionError, ValueError):
        raise Damaged(Place(file), "this is no valid TOML", "lock it again; it is not edited by hand") from None


def packages(document: Table, text: str, file: str, key: str = "package") -> list[tuple[Table, Place]]:
    """The tables of `[[package]]`, each with the line it begins on."""
    found = document.get(key)
    tables = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    header = f"[[{key}]]"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == header]
    # A text that holds such a line within a string would shift them all: no line is better than a wrong one.
    known = lines if len(lines) == len(tables) else [0] * len(tables)
    most(len(tables), Place(file))
    return [(table, Place(file, line)) for table, line in zip(tables, known, strict=True)]


def uv(text: str, file: str) -> list[Python]:
    """The packages of uv.lock, without the project's own."""
    document = toml(text, file)
    least, limited = _least(document.get("requires-python")), bool(document.get("supported-markers"))
    return [
        _package(table, place, _listed(table), _uv_source(table), least, limited=limited)
        for table, place in packages(document, text, file)
        if not (isinstance(table.get("source"), dict) and any(kind in table["source"] for kind in _PYPROJECT))
    ]


def poetry(text: str, file: str) -> list[Python]:
    """The packages of poetry.lock."""
    document = toml(text, file)
    metadata = _table(document.get("metadata"))
    apart, least = _table(metadata.get("files")), _least(metadata.get("python-versions"))
    found = []
    for table, place in packages(document, text, file):
        kind = _table(table.get("source")).get("type")
        if kind == "directory":
            continue
        files = table.get("files", apart.get(str(table.get("name"))))
        named = tuple(str(one.get("file", "")) for one in _tables(files))
        source = {"git": "a repository", "url": "an archive"}.get(str(kind), "")
        found.append(_package(table, place, named, source, least))
    return found


def pylock(text: str, file: str) -> list[Python]:
    """The packages of pylock.toml."""
    document = toml(text, file)
    least, limited = _least(document.get("requires-python")), bool(document.get("environments"))
    found = []
    for table, place in packages(document, text, file, "packages"):
        if "directory" in table:
            continue
        source = "a repository" if "vcs" in table else "an archive" if "archive" in table else ""
        found.append(_package(table, place, _listed(table), source, least, limited=limited))
    return found


def _package(table: Table, place: Place, files: tuple[str, ...], source: str, least: str, *, limited: bool = False) -> Python:
    if not isinstance(table.get("name"), str):
        raise Damaged(place, "this package has no name", "lock it again; it is not edited by hand")
    marker = table.get("marker", "")
    return Python(
        name=name_of(table["name"]),
        version=name_of(table.get("version", "source")),
        place=place,
        files=files or None,
        from_source="" if any(one.endswith(".whl") for one in files) else source,
        marker=marker if isinstance(marker, str) else "",
        least=least,
        limited=limited,
    )


def _listed(table: Table) -> tuple[str, ...]:
    """The names of a package's files, as uv.lock and pylock.toml list them."""
    sdist = table.get("sdist")
    return tuple(filter(None, map(_file, [*_tables(table.get("wheels")), *([sdist] if isinstance(sdist, dict) else [])])))


def _file(entry: Table) -> str:
    for key in ("filename", "name", "path", "url"):
        if isinstance(value := entry.get(key), str):
            return unquote(_path(value).rpartition("/")[2])
    return ""


def _path(value: str) -> str:
    try:
        return urlsplit(value).path if "://" in value else value
    except ValueError:
        return ""


def _uv_source(table: Table) -> str:
    source = _table(table.get("source"))
    return "a repository" if "git" in source else "an archive" if "url" in source or "path" in source else ""


def _least(value: object) -> str:
    match = _LEAST.search(value) if isinstance(value, str) else None
    return match[1] if match else ""


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> Iterator[Table]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())
