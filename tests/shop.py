"""A synthetic project: 24 modules in six folders that call `old_name`, its own TAP check, and all
that git can hold beside it. One module breaks when it is migrated, one was broken before.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.adapters.repositories import Executable, Gitlink, Name, Symlink, make_repository

TRAP = "area2/m3.py"
RED_BEFORE = "area5/m3.py"
SUBMODULE = "5" * 40

RUNNER = """\
import glob

def old_name(n):
    return n + 1

new_name = old_name
names = sorted(glob.glob("area*/*.py"))
print(f"1..{len(names)}")
for number, name in enumerate(names, 1):
    scope = {"old_name": old_name, "new_name": new_name, "__file__": name}
    try:
        exec(compile(open(name, newline="").read(), name, "exec"), scope)
        assert scope["value"]() == scope["EXPECTED"], scope["value"]()
        print("ok", number, "-", name)
    except Exception as error:
        print("not ok", number, "-", name)
        print(f"  ---\\n  at: {name}\\n  error: {error!r}\\n  ...")
"""

SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {include: ["/area*/"], find: {regex: 'old_name'}}
split: {by: directory, max_files: 4}
ladder:
  - codemod: sed -i s/old_name/new_name/ {files}
checks:
  all: {run: [/usr/bin/python3, run_checks.py], results: tap}
"""


def module(number: int, expected: int | None = None) -> str:
    """One that is right, or expects what it does not get."""
    shown = number + 1 if expected is None else expected
    return f"\n\ndef value():\n    return old_name({number})\n\n\nEXPECTED = {shown}\n"


def modules() -> dict[str, str]:
    """path → content of the 24 modules, without what is odd about some."""
    return {f"area{a}/m{m}.py": module(4 * a + m) for a in range(6) for m in range(4)}


def files() -> dict[Name, str | bytes | Symlink | Gitlink | Executable]:
    """The whole project."""
    odd: dict[Name, str | bytes | Symlink | Gitlink | Executable] = {
        "run_checks.py": RUNNER,
        "area1/m0.py": module(4).replace("\n", "\r\n").encode(),
        "area1/m1.py": Executable(module(5)),
        "area4/link.py": Symlink("m0.py"),
        TRAP: module(11) + 'assert "old_" "name" in open(__file__).read()\n',
        RED_BEFORE: module(23, expected=0),
        b"other/caf\xe9.txt": b"old_name \xe9\n",
        "other/dangling": Symlink("nowhere"),
        "vendor/lib": Gitlink(SUBMODULE),
        ".gitattributes": "*.py text=auto eol=lf\n",
        ".gitignore": "/made/\n",
    }
    return {**modules(), **odd}


def make_shop(
    path: Path,
    more: Mapping[Name, str | bytes | Symlink | Gitlink | Executable] | None = None,
    *,
    bare: bool = False,
) -> str:
    """The project as a repository; returns its commit."""
    return make_repository(path, {**files(), **(more or {})}, bare=bare)
