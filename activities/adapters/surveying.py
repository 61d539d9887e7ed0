"""Finds sites: in git's objects, by commands and codemods on a scratch checkout, by red results.

What a command or codemod finds is kept per tree, as a write-once record of the migration, and so
are the results of checks: a second survey of a tree finds what the first one kept.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager

from activities.adapters.base_merges import Outdated
from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import CheckTree, CheckTrees
from activities.adapters.commands import Commands, Order
from activities.adapters.finder_runs import WHOLE_OUTPUT, found_by, must_have_run
from activities.adapters.finders import apply_accept, in_scope, owners
from activities.adapters.git import Git
from activities.adapters.hub import Hub
from activities.adapters.import_graph import between, parse_edges, python_graph
from activities.adapters.orders import codemod_order, named_environment
from activities.adapters.scanning import FinderFailed, Scanner
from activities.adapters.scene import REGULAR, Scene, spelled
from activities.contracts.evidence import ResultSet
from activities.contracts.expectations import red_results
from activities.contracts.site_forms import SCANNED, Finder
from activities.contracts.spec import (
    MigrationSpec,
    Phase,
    SplitBy,
    seconds,
    size_bytes,
)
from activities.contracts.survey import (
    Site,
    SurveyData,
    SurveyedFile,
)

MAX_UNPLACED = 200
UNCHANGED = Outdated()
CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


Place = tuple[str, int | None, str, str]
"""path, line, finder, the red result."""
WholeRun = Callable[[Hub, MigrationSpec, str, str], Awaitable[ResultSet | None]]
"""What a check, by name, says about a whole commit."""


class Surveyor:
    """Counts what is left at a commit."""

    def __init__(
        self,
        blobs: BlobStore,
        scanner: Scanner,
        trees: CheckTrees,
        commands: Commands,
        whole_run: WholeRun,
    ) -> None:
        self._blobs = blobs
        self._scanner = scanner
        self._whole_run = whole_run
        self._trees = trees
        self._commands = commands

    def scene(self, hub: Hub, spec: MigrationSpec, phase: Phase, commit: str) -> Scene:
        return Scene(hub, spec, phase, commit)

    async def survey(
        self, scene: Scene, landed: Iterable[str] = (), outdated: Outdated = UNCHANGED
    ) -> SurveyData:
        """Every file in scope that has sites.

        `landed`: files that count as done where there is no finder to tell, or only the codemod:
        few codemods leave their own output alone, and asking again would change it for ever.
        `outdated`: those of them that the base changed since. A codemod is asked about them again;
        where nobody can tell, only those are sites of which nothing that landed is left.
        """
        await asyncio.to_thread(scene.look)
        done = frozenset(landed)
        unasked, done = done - outdated.changed, done - outdated.anew
        places: set[Place] = set()
        unplaced: set[str] = set()
        for finder in scene.phase.sites.find:
            places.update(await self._find(scene, finder, unasked, unplaced))
        if not scene.phase.sites.find:
            places.update((path, None, "", "") for path in scene.scope if path not in done)
            unplaced.update(spelled(file) for file in scene.nameless)
        left, accepted = apply_accept(_in_order(places), scene.phase.sites.accept)
        return SurveyData(
            commit=scene.commit,
            phase=scene.phase.name,
            files=await asyncio.to_thread(_surveyed, scene, left),
            sites=tuple(left),
            accepted=tuple(accepted),
            unplaced=tuple(sorted(unplaced))[:MAX_UNPLACED],
            unsearched=scene.unsearched,
            tracked_files=len(scene.files),
            imports=await self._imports(scene, {site.path for site in left}),
        )

    def left_in(self, scene: Scene, paths: Sequence[str]) -> dict[str, int]:
        """path → sites left, by the finders that need no command to tell; 0 is left out."""
        return counted(scene, self.scanned(scene, paths))

    def scanned(self, scene: Scene, paths: Sequence[str]) -> list[Site]:
        """Sites in these files, by the finders that need no command to tell."""
        finders = [f for f in scene.phase.sites.find if f.kind in SCANNED]
        wanted = in_scope(paths, scene.phase.sites) if finders else []
        files = [f for f in scene.hub.among(scene.commit, wanted) if f.mode in REGULAR]
        return [
            Site(path=path, line=line, finder=finder.kind)
            for finder in finders
            for path, line in self._scanner.find(scene.hub, finder, files)
        ]

    async def commanded(self, scene: Scene, finder: Finder) -> list[Site]:
        """What a command finds in the whole tree, asked once for each tree. Raises FinderFailed."""
        await asyncio.to_thread(scene.look)
        return _in_order(await self._find(scene, finder, frozenset(), set()))

    async def _imports(self, scene: Scene, bearing: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Who imports whom between files with sites, where the split asks for it."""
        split = scene.phase.split
        if split.by is not SplitBy.IMPORTS:
            return {}
        if split.edges is None:
            graph = await asyncio.to_thread(python_graph, scene.hub, scene.files)
            return between(graph, bearing)
        async with self._scratch(scene) as tree:
            order = Order(
                run=split.edges.run,
                tree=tree.path,
                lists={},
                environment=named_environment(scene.spec, split.edges.environment),
                source=scene.source,
                timeout=seconds(split.edges.timeout),
                memory=size_bytes(scene.spec.limits.memory),
                output_limit=WHOLE_OUTPUT,
            )
            ran = await self._commands.run(order)
        must_have_run("command for edges", ran, (0,))
        return between(parse_edges(ran.output if ran else b"", scene.files), bearing)

    async def _find(
        self, scene: Scene, finder: Finder, done: frozenset[str], unplaced: set[str]
    ) -> list[Place]:
        """Where one finder sees sites; those that no task could take go to `unplaced`."""
        if finder.kind in SCANNED:
            files = [*(scene.files[path] for path in scene.scope), *scene.nameless]
            lines = await asyncio.to_thread(self._scanner.find, scene.hub, finder, files)
            return _placed(scene, finder, lines, unplaced)
        if finder.failing is not None:
            return await self._by_results(scene, finder.failing, unplaced)
        skipped = done if finder.codemod else frozenset[str]()
        paths = [path for path in scene.scope if path not in skipped]
        tree = await asyncio.to_thread(scene.hub.tree, scene.commit)
        key = f"finder/{_digest(scene, finder, paths)}/{tree}"
        kept = await asyncio.to_thread(self._blobs.find, scene.spec.name, key)
        if kept is None:
            search = self._by_command if finder.command else self._by_codemod
            found = json.dumps(await search(scene, finder, paths)).encode()
            kept = await asyncio.to_thread(self._blobs.put_once, scene.spec.name, key, found)
        return _placed(scene, finder, json.loads(kept), unplaced)

    async def _by_results(self, scene: Scene, name: str, unplaced: set[str]) -> list[Place]:
        """The files that a check's red results name; a result may name several, or none."""
        results = await self._whole_run(scene.hub, scene.spec, name, scene.commit)
        if results is None:
            raise FinderFailed(f"the check {name} has nothing to run")
        if not results.parsed and not results.files:
            why = results.messages.get("exit", "")
            raise FinderFailed(f"the check {name} has no readable results: {why}")
        scope = frozenset(scene.scope)
        places: list[Place] = []
        for result in red_results(scene.spec.checks[name], results):
            named = scope.intersection(results.files.get(result, ()))
            places += [(path, None, "failing", result) for path in named]
            if not named:
                unplaced.add(result)
        return places

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
                    source=scene.source,
                    memory=size_bytes(scene.spec.limits.memory),
                    output_limit=WHOLE_OUTPUT,
                )
            )
        return found_by(ran, {*scene.files, *(file.path for file in scene.nameless)})

    async def _by_codemod(
        self, scene: Scene, finder: Finder, paths: Sequence[str]
    ) -> list[tuple[str, int | None]]:
        """The files that rung 1 would change, by letting it change a scratch checkout."""
        codemod = scene.phase.ladder[0].codemod
        assert codemod
        assert finder.codemod
        async with self._scratch(scene) as tree:
            order = codemod_order(scene.spec, codemod, tree.path, paths, scene.source)
            must_have_run("codemod", await self._commands.run(order), None)
            git = Git(tree.git_dir, work_tree=tree.path)
            listed = await asyncio.to_thread(git.run, "ls-files", "-z", "-m")
            changed = listed.decode("utf-8", "surrogateescape")
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


def _placed(
    scene: Scene, finder: Finder, found: Iterable[tuple[str, int | None]], unplaced: set[str]
) -> list[Place]:
    """What was found where tasks can go; the rest goes to `unplaced`."""
    nameless = {file.path: spelled(file) for file in scene.nameless}
    places = [*found]
    unplaced.update(nameless[path] for path, _ in places if path in nameless)
    return [(path, line, finder.kind, "") for path, line in places if path not in nameless]


def counted(scene: Scene, found: Sequence[Site]) -> dict[str, int]:
    """path → sites that may not stay; 0 is left out."""
    left, _ = apply_accept(found, scene.phase.sites.accept)
    return dict(Counter(site.path for site in left))


def _in_order(places: Iterable[Place]) -> list[Site]:
    return [
        Site(path=path, line=line, finder=finder, what=what)
        for path, line, finder, what in sorted(places, key=lambda p: (p[0], p[1] or 0, *p[2:]))
    ]


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
    """What a found list depends on beside the tree: a spec that was mended is asked anew."""
    spec, codemod = scene.spec, scene.phase.ladder[0].codemod if finder.codemod else None
    named = named_environment(spec, codemod.environment if codemod else None)
    asked = (finder, scene.phase.sites, codemod, named and named[1])
    parts = [form.model_dump_json() if form else "" for form in asked]
    parts += [spec.limits.memory, *spec.root_markers, "", *paths]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
