"""Finds sites: regular expressions in git objects, commands and codemods on a scratch checkout.

What a regular expression finds in a blob is cached by blob, so the next commit costs what changed.
What a command or codemod finds is kept per tree, as a write-once record of the migration.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import CheckTree, CheckTrees
from activities.adapters.commands import Commands, Order, Ran
from activities.adapters.finders import (
    SiteCache,
    apply_accept,
    find_regex,
    in_scope,
    owners,
    parse_found,
)
from activities.adapters.git import Git
from activities.adapters.hub import Hub
from activities.adapters.objects import TreeFile
from activities.contracts.placeholders import path_lists
from activities.contracts.spec import (
    Codemod,
    Environment,
    Finder,
    MigrationSpec,
    Phase,
    seconds,
    size_bytes,
)
from activities.contracts.survey import Site, SurveyData, SurveyedFile

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
REGULAR = ("100644", "100755")
MAX_SCANNED = 20 << 20
"""Bytes: a bigger file is data, not code."""


class FinderFailed(Exception):
    """A finder's command did not do its work; the text says what it said."""


@dataclass(frozen=True)
class Scene:
    """Where to look: one phase of a spec at one commit of a repository."""

    hub: Hub
    spec: MigrationSpec
    phase: Phase
    commit: str

    @cached_property
    def files(self) -> dict[str, TreeFile]:
        """Regular files whose names can travel as text; others are never sites."""
        tracked = self.hub.files(self.commit)
        return {f.path: f for f in tracked if f.mode in REGULAR and _nameable(f.path)}

    @cached_property
    def scope(self) -> list[str]:
        return in_scope(self.files, self.phase.sites)


Place = tuple[str, int | None, str]
"""path, line, finder."""


class Surveyor:
    """Counts what is left at a commit."""

    def __init__(
        self, blobs: BlobStore, cache: SiteCache, trees: CheckTrees, commands: Commands
    ) -> None:
        self._blobs = blobs
        self._cache = cache
        self._trees = trees
        self._commands = commands

    def scene(self, hub: Hub, spec: MigrationSpec, phase: Phase, commit: str) -> Scene:
        return Scene(hub, spec, phase, commit)

    async def survey(self, scene: Scene, landed: Iterable[str] = ()) -> SurveyData:
        """Every file in scope that has sites.

        `landed`: files that count as done where there is no finder to tell, or only the codemod:
        few codemods leave their own output alone, and asking again would change it for ever.
        """
        done = frozenset(landed)
        places: set[Place] = set()
        for finder in scene.phase.sites.find:
            places.update(await self._find(scene, finder, done))
        if not scene.phase.sites.find:
            places.update((path, None, "") for path in scene.scope if path not in done)
        found = [
            Site(path=path, line=line, finder=finder)
            for path, line, finder in sorted(places, key=lambda p: (p[0], p[1] or 0, p[2]))
        ]
        left, accepted = apply_accept(found, scene.phase.sites.accept)
        return SurveyData(
            commit=scene.commit,
            phase=scene.phase.name,
            files=_surveyed(scene, left),
            sites=tuple(left),
            accepted=tuple(accepted),
            tracked_files=len(scene.files),
        )

    def left_in(self, scene: Scene, paths: Sequence[str]) -> dict[str, int]:
        """path → sites left, by the finders that need no command to tell; 0 is left out."""
        patterns = [finder.regex for finder in scene.phase.sites.find if finder.regex]
        if not patterns:
            return {}
        wanted = in_scope([p for p in paths if p in scene.files], scene.phase.sites)
        files = [scene.files[path] for path in wanted]
        found = [
            Site(path=file.path, line=line)
            for pattern in patterns
            for lines in [self._regex(scene, pattern, files)]
            for file in files
            for line in lines[file.blob]
        ]
        left, _ = apply_accept(found, scene.phase.sites.accept)
        return dict(Counter(site.path for site in left))

    async def _find(self, scene: Scene, finder: Finder, done: frozenset[str]) -> list[Place]:
        if finder.regex:
            files = [scene.files[path] for path in scene.scope]
            lines = self._regex(scene, finder.regex, files)
            return [(f.path, line, "regex") for f in files for line in lines[f.blob]]
        kind = "command" if finder.command else "codemod"
        skipped = done if finder.codemod else frozenset[str]()
        paths = [path for path in scene.scope if path not in skipped]
        key = f"finder/{_digest(scene, finder, paths)}/{scene.hub.tree(scene.commit)}"
        kept = self._blobs.find(scene.spec.name, key)
        if kept is None:
            search = self._by_command if finder.command else self._by_codemod
            found = json.dumps(await search(scene, finder, paths)).encode()
            kept = self._blobs.put_once(scene.spec.name, key, found)
        return [(path, line, kind) for path, line in json.loads(kept)]

    def _regex(self, scene: Scene, pattern: str, files: Sequence[TreeFile]) -> dict[str, list[int]]:
        """blob → line numbers; only blobs never seen by this finder are read."""
        finder = hashlib.sha256(f"regex\0{pattern}".encode()).hexdigest()
        wanted = {f.blob for f in files if f.size <= MAX_SCANNED}
        known = self._cache.get(finder, wanted)
        missing = sorted(wanted - set(known))
        new = {blob: find_regex(pattern, data) for blob, data in scene.hub.read_blobs(missing)}
        self._cache.put(finder, new)
        return {f.blob: [] for f in files} | known | new

    async def _by_command(
        self, scene: Scene, finder: Finder, _: Sequence[str]
    ) -> list[tuple[str, int | None]]:
        assert finder.command
        async with self._scratch(scene) as tree:
            ran = await self._commands.run(
                Order(
                    run=finder.command,
                    tree=tree.path,
                    lists={},
                    environment=named_environment(scene.spec, None),
                    memory=size_bytes(scene.spec.limits.memory),
                )
            )
        _must_have_run("finder", ran, (0, 1))
        return [(s.path, s.line) for s in parse_found(ran.output if ran else b"", {*scene.files})]

    async def _by_codemod(
        self, scene: Scene, finder: Finder, paths: Sequence[str]
    ) -> list[tuple[str, int | None]]:
        """The files that rung 1 would change, by letting it change a scratch checkout."""
        codemod = scene.phase.ladder[0].codemod
        assert codemod
        assert finder.codemod
        async with self._scratch(scene) as tree:
            order = codemod_order(scene.spec, codemod, tree.path, paths, scene.commit)
            _must_have_run("codemod", await self._commands.run(order), None)
            git = Git(tree.git_dir, work_tree=tree.path)
            changed = git.run("ls-files", "-z", "-m").decode("utf-8", "surrogateescape")
        found = frozenset(changed.split("\0")).intersection(paths)
        return [(path, None) for path in sorted(found)]

    @asynccontextmanager
    async def _scratch(self, scene: Scene) -> AsyncGenerator[CheckTree]:
        repository = scene.hub.path.stem
        tree = await asyncio.to_thread(self._trees.lease, scene.hub.path, repository, scene.commit)
        try:
            yield tree
        finally:
            await asyncio.to_thread(self._trees.release, tree, reusable=True)


def codemod_order(
    spec: MigrationSpec,
    codemod: Codemod,
    tree: Path,
    paths: Sequence[str],
    base: str,
    task: str = "",
    private_git: Path | None = None,
) -> Order:
    """How a codemod rung is run on a tree."""
    return Order(
        run=codemod.run,
        tree=tree,
        lists=path_lists(paths),
        words={"task": task, "base": base, "repo.name": spec.name, "repo.base": spec.base},
        environment=named_environment(spec, codemod.environment),
        batch=codemod.batch,
        env=codemod.env,
        dir=codemod.dir,
        timeout=seconds(codemod.timeout),
        memory=size_bytes(spec.limits.memory),
        private_git=private_git,
    )


def named_environment(spec: MigrationSpec, name: str | None) -> tuple[str, Environment] | None:
    """The environment a command names; the only one where it names none."""
    if name is None and len(spec.environments) == 1:
        name = next(iter(spec.environments))
    return (name, spec.environments[name]) if name else None


def _must_have_run(what: str, ran: Ran | None, exits: tuple[int, ...] | None) -> None:
    """`exits`: the codes that count as having run; None: any (a dry run is judged by its diff)."""
    if ran is None or (ran.ended == "exit" and (exits is None or ran.exit in exits)):
        return
    said = ran.output[-600:].decode("utf-8", "replace")
    raise FinderFailed(f"the {what} ended with {ran.ended} {ran.exit}: {said}")


def _surveyed(scene: Scene, sites: Sequence[Site]) -> tuple[SurveyedFile, ...]:
    counts = Counter(site.path for site in sites)
    named = next((text for p in CODEOWNERS if (text := scene.hub.read_file(scene.commit, p))), b"")
    people = owners(named.decode("utf-8", "replace"), counts) if named else {}
    return tuple(
        SurveyedFile(
            path=path,
            size=scene.files[path].size,
            blob=scene.files[path].blob,
            sites=counts[path],
            owners=people.get(path, ()),
        )
        for path in sorted(counts)
    )


def _digest(scene: Scene, finder: Finder, paths: Sequence[str]) -> str:
    """What a found list depends on beside the tree."""
    rung = scene.phase.ladder[0].model_dump_json() if finder.codemod else ""
    parts = [finder.model_dump_json(), scene.phase.sites.model_dump_json(), rung, *paths]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _nameable(path: str) -> bool:
    """Names that are not UTF-8 cannot travel in messages; such files are never claimed."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
