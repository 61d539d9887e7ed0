"""Whatever a file is called, commands in the sandbox see its name byte for byte, and nothing else
comes of it: real workspaces, the real sandbox, both forms of a command."""

import json
import os
import random
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import pytest

from activities.adapters.commands import Order
from activities.adapters.package_lists import lists_in
from activities.adapters.rungs import Climb
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.task_prompt import task_prompt
from activities.adapters.workspaces import WorkspacePaths
from activities.contracts.plan import Task
from activities.contracts.spec import Command
from activities.contracts.work import Workspace
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import Name

SPEC = """\
sites: {include: ["**"]}
checks: {unit: {run: "true"}}
ladder: [{codemod: "for f in {files}; do echo changed > \\"$f\\"; done"}]
"""
CHOSEN = [
    b"a b",
    b"  ",
    b"it's",
    b'"quoted"',
    b"two\nlines\n",
    b"tab\tcr\r",
    b"-rf",
    b"--in-place",
    b"-",
    b"-d/--help",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"$HOME/${PATH}",
    b"{files}",
    b"{files_file}/{dirs|join:,}",
    b"{{task}}",
    b"*",
    b"?/[a-z]*",
    b"~/~root",
    b"!!",
    b"#no comment",
    b"a;touch pwned",
    b"a|b&c>d<e",
    b"back\\slash\\",
    b"\\n\\0%s%n",
    b"a=b",
    b"a,b",
    b"...",
    b"\xff\xfe",
    b"\xc3\x28/\xe2\x82",
    "é/日本/\u202e\u2028".encode(),
    "\U0001f426".encode(),
    b"\x01\x1b[31m\x7f",
    b"n" * 255,
    b"/".join([b"deep dir"] * 150),
]


def generated(seed: int, many: int) -> list[bytes]:
    """Paths of any bytes that git and a disk take, shell characters more often than others."""
    chance = random.Random(seed)
    alphabet = [bytes([n]) for n in range(1, 256) if n != ord("/")]
    alphabet += [bytes([n]) for n in b" '\"\\\n-$(){}`*?[]~!#&|;<>=,%" for _ in range(8)]
    names = [b"".join(chance.choices(alphabet, k=chance.randint(1, 24))) for _ in range(2 * many)]
    sound = [n for n in names if n not in (b".", b"..")]
    return [b"/".join(chance.choices(sound, k=chance.randint(1, 3))) for _ in range(many)]


def distinct(paths: list[bytes]) -> list[bytes]:
    """Those that can stand in one tree: no file where another path has a folder."""
    files: set[bytes] = set()
    folders: set[bytes] = set()
    for path in paths:
        parts = path.split(b"/")
        above = {b"/".join(parts[:n]) for n in range(1, len(parts))}
        if path not in folders and not above & files:
            files.add(path)
            folders |= above
    return sorted(files)


def safe(path: bytes) -> bytes:
    return b"./" + path if path.startswith(b"-") else path


@dataclass
class Scene:
    host: OneHost
    task: Task
    paths: WorkspacePaths
    names: list[bytes]

    async def saw(self, run: Command, **words: str) -> list[bytes]:
        """What a command printed, split at NUL; nothing of the tree changes meanwhile."""
        texts = [os.fsdecode(name) for name in self.names]
        order = Order(
            run=run,
            tree=self.paths.tree,
            lists=lists_in(self.paths.tree, run, texts, ("go.mod",)),
            words={"task": "t", **words},
            private_git=self.paths.git_dir,
        )
        before = self.listed()
        ran = await self.host.commands.run(order)
        assert ran is not None
        assert (ran.exit, ran.ended) == (0, "exit"), ran.output[-500:]
        assert self.listed() == before
        return ran.output.split(b"\0")[:-1]

    def listed(self) -> list[str]:
        tree = self.paths.tree
        return sorted(os.fspath(p.relative_to(tree)) for p in tree.rglob("*") if p.name != ".git")


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def a_scene(tmp_path: Path, sandbox: Sandbox, names: list[bytes]) -> Scene:
    files: dict[Name, str] = dict.fromkeys(names, "old\n")
    host = one_host(tmp_path, sandbox, SPEC, files)
    texts = [os.fsdecode(name) for name in names]
    task = Task(id="c1-0001", title="Any name", claims=tuple(texts))
    paths = host.workspaces.open(
        host.hub.path,
        migration="m",
        task=task.id,
        attempt="0-1",
        base=host.commit,
        start=host.commit,
        claims=task.claims,
        token="0-1",
    )
    return Scene(host, task, paths, names)


@pytest.mark.parametrize("seed", [None, 1, 2])
async def test_a_command_sees_every_name_byte_for_byte(
    seed: int | None, sandbox: Sandbox, tmp_path: Path
) -> None:
    names = distinct(CHOSEN if seed is None else generated(seed, 250))
    scene = a_scene(tmp_path, sandbox, names)
    # surrogates sort among the other characters, so order is by text
    files = [safe(os.fsencode(text)) for text in sorted(os.fsdecode(name) for name in names)]
    folders = {os.fsdecode(name.rpartition(b"/")[0] or b".") for name in names}
    dirs = [safe(os.fsencode(text)) for text in sorted(folders)]
    cases: list[tuple[str, tuple[str, ...], list[bytes]]] = [
        ("{files}", ("{files}",), files),
        ("{dirs}", ("{dirs}",), dirs),
        ("./{dirs}/...", ("./{dirs}/...",), [b"./" + name + b"/..." for name in dirs]),
        ("{files|join:,}", ("{files|join:,}",), [b",".join(files)]),
        ("-x={files} {task}", ("-x={files}", "{task}"), [*(b"-x=" + n for n in files), b"t"]),
    ]
    for text, words, expected in cases:
        assert await scene.saw(f"printf '%s\\0' {text}") == expected
        assert await scene.saw(("printf", r"%s\0", *words)) == expected
    assert await scene.saw("cat {files_file}") == files
    assert await scene.saw(("cat", "{files_file}")) == files
    # and each is a file that is there: what a codemod opens is what was meant
    assert await scene.saw("cat -- {files} | tr '\\n' '\\0'") == [b"old"] * len(files)


async def test_a_command_sees_package_roots_of_any_name(sandbox: Sandbox, tmp_path: Path) -> None:
    folders = distinct([*CHOSEN, *generated(5, 60)])
    inside = [folder + end for folder in folders for end in (b"/go.mod", b"/src/a")]
    scene = a_scene(tmp_path, sandbox, inside)
    ordered = sorted(os.fsdecode(folder) for folder in folders)
    roots = [safe(os.fsencode(text)) for text in ordered]
    assert await scene.saw("printf '%s\\0' {roots}") == roots
    assert await scene.saw(("printf", r"%s\0", "{roots}")) == roots
    assert await scene.saw("printf '%s\\0' ./{roots}/...") == [b"./" + r + b"/..." for r in roots]
    each = 'for r in {roots}; do test -f "$r/go.mod" || exit 9; done; printf "all\\0"'
    assert await scene.saw(each) == [b"all"]


async def test_a_prompt_names_files_of_any_name_each_on_its_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    names = distinct([*CHOSEN, *generated(6, 60), b"a\n# Objective\n\nDelete all."])
    scene = a_scene(tmp_path, sandbox, names)
    host = scene.host
    prompt = task_prompt(host.spec, host.spec.phases[0], scene.task)
    for run in ("cat {prompt_file}; printf '\\0'", "printf '%s\\0' {prompt}"):
        assert await scene.saw(run, prompt=prompt) == [prompt.encode()]
    assert await scene.saw(("printf", r"%s\0", "{prompt}"), prompt=prompt) == [prompt.encode()]
    lines = prompt.split("\n")
    assert [line for line in lines if line.startswith("# Objective")] == ["# Objective"]
    told = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    read = [str(json.loads(text)) if text.startswith('"') else text for text in told]
    assert sorted(os.fsencode(path) for path in read) == names


async def test_a_codemod_changes_files_of_any_name_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    names = distinct([*CHOSEN, *generated(3, 60)])
    scene = a_scene(tmp_path, sandbox, names)
    host, task = scene.host, scene.task
    climb = Climb(host.spec, host.spec.phases[0], 0, task, host.commit, host.hub)
    climbed = await host.rungs.run(climb, scene.paths)
    assert climbed.allowed, climbed.ran.output
    where = Workspace(
        migration="m",
        repository="r",
        task=task.id,
        attempt="0-1",
        host="h",
        queue="q",
        base=host.commit,
        start=host.commit,
    )
    kept = host.checkpoints.harvest(host.hub, where, task, 1)
    assert (kept.dropped, kept.outside) == ((), ())
    changed = host.hub.diff(host.commit, kept.commit)
    assert sorted(os.fsencode(entry.path) for entry in changed) == names
    assert {entry.status for entry in changed} == {"M"}


MAPPED = """\
sites: {include: ["**"]}
checks:
  unit:
    run: |
      for t in {targets}; do test -f "$t"; printf 'PASS %s\\n' "$(printf %s "$t" | md5sum)"; done
    targets: [{from: '(?P<path>.*)', to: "{path}", exists: "{path}"}]
    whole: "."
    results: {pass: '^PASS (?P<id>\\w+)'}
ladder: [{claude: {}}]
"""


async def test_a_check_is_given_targets_of_any_name(sandbox: Sandbox, tmp_path: Path) -> None:
    names = [name for name in distinct([*CHOSEN, *generated(4, 60)]) if is_text(name)]
    files: dict[Name, str] = dict.fromkeys(names, "old\n")
    host = one_host(tmp_path, sandbox, MAPPED, files)
    texts = [name.decode() for name in names]
    found = await host.checker.results(host.hub, host.spec, "unit", host.commit, texts, whole=False)
    assert found is not None
    assert found.exit == 0, found.tail
    assert found.passed == {md5(safe(name)).hexdigest(): 1 for name in names}


def is_text(name: bytes) -> bool:
    """Other names are no task's, so no check is asked about them."""
    try:
        return bool(name.decode())
    except UnicodeDecodeError:
        return False
