"""A base that moves, is rewritten and goes away under a migration of a real repository."""

from pathlib import Path

from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from tests import invariants, shop
from tests.adapters.repositories import commit_files, git, make_repository
from tests.service import Service, filled, service, until

SPEC = filled(
    shop.SPEC,
    **{
        "NAME": "moving",
        "checks:": "pilot: 1\napprovals: [pilot]\nchecks:",
    },
)


def content(whimbrel: Service, report: MigrationReport, path: str) -> str:
    return git(whimbrel.hub(report), "show", f"{report.tip}:{path}").decode()


async def test_a_base_that_moves_is_merged_and_what_comes_with_it_is_migrated(
    tmp_path: Path,
) -> None:
    upstream = tmp_path / "upstream"
    modules = {f"area{a}/m{m}.py": shop.module(4 * a + m) for a in range(2) for m in range(2)}
    base = make_repository(upstream, {**modules, "run_checks.py": shop.RUNNER})
    async with service(tmp_path / "home") as whimbrel:
        handle = await whimbrel.start(SPEC, REPOSITORY=str(upstream))
        progress = await until(handle, lambda now: now.stage is Stage.APPROVAL)
        hub = whimbrel.home / "hub" / f"{progress.repository}.git"
        branch = f"refs/heads/{progress.branch}"
        [landed, other] = git(hub, "diff", "--name-only", base, branch).decode().split()
        # The pilot has landed: now somebody changes the line that it changed, and goes on.
        head = commit_files(
            upstream, {landed: shop.module(50), "area2/m0.py": shop.module(8), "README": "hi\n"}
        )
        said = await whimbrel.starter("approve", "moving")
        assert said.code == 0, said.err
        report = whimbrel.report(await handle.result())
        invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report)
        assert (report.outcome, report.reason) == (Stage.DONE, "")
        [merge] = report.base_merges
        assert (merge.head, merge.commits, merge.taken_anew) == (head, 1, (landed,))
        assert (report.base_sites, report.sites_at_start) == (2, 6)
        assert "new_name(50)" in content(whimbrel, report, landed)
        assert "new_name" in content(whimbrel, report, other)
        assert "new_name(8)" in content(whimbrel, report, "area2/m0.py")
        assert content(whimbrel, report, "README") == "hi\n"
        stat = await whimbrel.starter("diff", "moving", "--stat")
        assert "README" not in stat.out, "what the migration changed, not what upstream did"
        assert "area2/m0.py" in stat.out
        told = await whimbrel.starter("report", "moving")
        assert f"`{head[:12]}`" in told.out
        await rewritten(whimbrel, upstream, base)


async def rewritten(whimbrel: Service, upstream: Path, base: str) -> None:
    """Started again after a forced push, it waits for a person; then the branch is deleted."""
    head = commit_files(upstream, {"area2/m1.py": shop.module(9)}, parent=base)
    handle = await whimbrel.start(SPEC, REPOSITORY=str(upstream))
    progress = await until(handle, lambda now: bool(now.waiting_for))
    assert progress.waiting_for.startswith(f"the base was rewritten: {head[:12]}")
    seen = head[:12]
    assert progress.command == f"starter.py base moving --accept --head {seen} (or --keep)"
    said = await whimbrel.starter("base", "moving", "--accept", "--head", seen, "-m", "squashed")
    assert (said.code, said.err) == (0, "moving: base: accepted\n")
    await until(handle, lambda now: now.stage is Stage.APPROVAL)
    await whimbrel.starter("approve", "moving")
    report = whimbrel.report(await handle.result())
    assert (report.outcome, report.base_told) == (Stage.DONE, "")
    assert [merge.head for merge in report.base_merges][1:] == [head]
    assert "new_name(9)" in content(whimbrel, report, "area2/m1.py")
    names = git(whimbrel.hub(report), "ls-tree", "-r", "--name-only", report.tip).decode()
    assert "README" not in names, "what the rewriting dropped is dropped"
    git(upstream, "update-ref", "-d", "refs/heads/main")
    handle = await whimbrel.start(SPEC, REPOSITORY=str(upstream))
    report = whimbrel.report(await handle.result())
    assert report.outcome is Stage.DONE
    assert report.base_told.startswith(f"{upstream} has no branch main; it goes on with")
