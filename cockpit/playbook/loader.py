"""Finding and loading playbooks. What validates them is imported only when one is loaded: the screen paints before."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import cockpit
from cockpit.errors import PlaybookInvalid, UsageError
from cockpit.model.playbook import Playbook
from cockpit.playbook.issue import listed
from cockpit.text import clean

VARIABLE = "COCKPIT_PLAYBOOKS"
"""The environment variable with folders of playbooks, separated as in PATH."""
_SUFFIXES = (".yaml", ".yml")
PROGRAM = "program"
"""The name, without suffix, of the file that lists the playbooks beside it by tier. It is no playbook."""


def loads(text: bytes | str, name: str) -> Playbook:
    """The playbook in `text`; `name` stands for the file in messages. Raises PlaybookInvalid with all faults, in their order."""
    from cockpit.playbook.build import build
    from cockpit.playbook.errors import validate
    from cockpit.playbook.issue import render
    from cockpit.playbook.semantics import findings
    from cockpit.playbook.text import read
    from cockpit.playbook.view import View

    name = clean(name)
    document = read(text, name)
    spec, faults = validate(document)
    # One fault a place: what is wrong as a scalar needs no second word on its form, nor that one on its meaning.
    issues = list(document.issues)
    for more in (faults, [document.issue(f.path, f.what, f.right) for f in findings(View(document.root))]):
        said = {issue.path for issue in issues}
        issues += [issue for issue in more if issue.path not in said]
    if issues or spec is None:
        raise PlaybookInvalid(render(issues, name))
    return build(spec, name)


def load(path: Path) -> Playbook:
    """The playbook in the file `path`. Raises PlaybookInvalid, or UsageError when the file cannot be read."""
    return loads(_bytes(path, clean(str(path))), str(path))


def find(name_or_path: str) -> Path:
    """The file meant: a path; else the name, with or without `.yaml`, of a bundled playbook or of one in `./playbooks` or
    `$COCKPIT_PLAYBOOKS`. Raises UsageError that names what there is.
    """
    shown = clean(name_or_path)
    if not name_or_path or "\0" in name_or_path:
        raise UsageError(f"{shown!r} is no playbook; name a file or one of {_known()}")
    path = Path(name_or_path)
    if _is_file(path):
        return path
    if path.name != name_or_path:
        what = "is a folder" if _is_folder(path) else "does not exist"
        raise UsageError(f"{shown} {what}; name a playbook file (.yaml) or one of {_known()}")
    for folder in _folders():
        for candidate in (folder / name_or_path, *(folder / f"{name_or_path}{suffix}" for suffix in _SUFFIXES)):
            if candidate.suffix in _SUFFIXES and _is_file(candidate):
                return candidate
    near = difflib.get_close_matches(path.stem, _names(), n=1)
    right = f"did you mean {near[0]}?" if near else f"name a file or one of {_known()}"
    raise UsageError(f"there is no playbook {shown}; {right}")


def bundled() -> tuple[Path, ...]:
    """The playbooks that are shipped with the cockpit, by name."""
    return _in(_bundle())


def available() -> tuple[Path, ...]:
    """All playbooks that can be called by name, bundled ones first; of equal names the one that `find` gives."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in _in(folder):
            found.setdefault(path.stem, path)
    return tuple(found.values())


def _bundle() -> Path:
    # Beside the package in the source tree and in the wheel alike; importing `playbooks` could find a user's own folder.
    return Path(cockpit.__file__).resolve().parent.parent / "playbooks"


def _folders() -> list[Path]:
    extra = [Path(entry).expanduser() for entry in os.environ.get(VARIABLE, "").split(os.pathsep) if entry]
    return [_bundle(), Path("playbooks"), *extra]


def _in(folder: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(p for p in folder.iterdir() if p.suffix in _SUFFIXES and p.stem != PROGRAM and p.is_file()))
    except OSError:
        return ()


def _names() -> list[str]:
    return [path.stem for path in available()]


def _known() -> str:
    names = [clean(name) for name in _names()]
    return listed(names) if names else "your own playbooks"


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _bytes(path: Path, name: str) -> bytes:
    from cockpit.playbook.decoding import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{name} does not exist; name a playbook file (.yaml) or one of {_known()}") from None
    except IsADirectoryError:
        raise UsageError(f"{name} is a folder; name a playbook file (.yaml) in it") from None
    except PermissionError:
        raise UsageError(f"{name} may not be read; check its owner and mode (ls -l)") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {clean(str(error))}; name a playbook file (.yaml)") from None
