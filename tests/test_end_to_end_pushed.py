"""A person with the hub's folder commits to the green branch of a real repository."""

from pathlib import Path

from activities.adapters.fault_points import Effect, points_of
from activities.contracts.migration import Stage
from tests import shop
from tests.adapters.repositories import commit_files, git, make_repository
from tests.service import filled, service, until

SPEC = filled(
    shop.SPEC,
    **{
        "NAME": "pushed",
        "checks:": "pilot: 1\napprovals: [pilot]\nchecks:",
    },
)

KILLED_AT = points_of(["find_push", "settle_push", Effect.REF_ACCEPTED])


async def test_a_red_commit_of_somebody_else_is_set_back_and_a_green_one_stays(
    tmp_path: Path,
) -> None:
    modules = {f"area{m}/m{m}.py": shop.module(m) for m in range(2)}
    make_repository(tmp_path / "upstream", {**modules, "run_checks.py": shop.RUNNER})
    faults = tmp_path / "faults"
    faults.mkdir()
    orders = ",".join(f"crash@{point}" for point in KILLED_AT)
    more = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(faults)}
    async with service(tmp_path / "home", **more) as whimbrel:
        handle = await whimbrel.start(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        progress = await until(handle, lambda now: now.stage is Stage.APPROVAL)
        hub = whimbrel.home / "hub" / f"{progress.repository}.git"
        branch = f"refs/heads/{progress.branch}"
        ours = git(hub, "rev-parse", branch).decode().strip()
        bad = commit_files(hub, {"area0/m0.py": "broken(\n"}, ref=branch, parent=ours)
        await whimbrel.starter("approve", "pushed")
        progress = await until(handle, lambda now: bool(now.push_command))
        command = f"starter.py branch pushed --accept --head {bad[:12]} (or --set-back)"
        assert progress.command == command
        said = await whimbrel.starter("status", "pushed")
        assert f"from {ours[:12]} to {bad[:12]} ({bad[:12]} by " in said.out
        good = commit_files(hub, {"README": "hi\n"}, ref=branch, parent=ours)
        said = await whimbrel.starter("branch", "pushed", "--set-back", "-m", "not by hand")
        assert (said.code, said.err) == (0, "pushed: branch: accepted\n")
        report = whimbrel.report(await handle.result())
        assert report.outcome is Stage.DONE
        assert [(seen.push.head, seen.settled) for seen in report.pushes] == [
            (bad, "somebody pushed again"),
            (good, "its checks held, so it stays"),
        ]
        content = git(hub, "show", f"{report.tip}:README").decode()
        assert content == "hi\n", "it was pushed instead before anybody decided: looked at again"
        killed = sorted(int(mark.name) for mark in faults.iterdir())
        assert killed == list(range(len(KILLED_AT))), "nobody was killed somewhere"
        told = await whimbrel.starter("report", "pushed")
        assert "## Others pushed to the green branch" in told.out
