"""Where a phase asks for a model and nobody has one, everything else works and it is told."""

from conftest import Stage

from activities.contracts.migration import Stage as At


async def test_without_a_model_worker_the_split_plans_and_no_opinion_is_told(stage: Stage) -> None:
    world = stage.world("no-model", a="old", b="old")
    report = await stage.run(world, spec={"plan": "claude", "judge": "claude"})
    assert report.outcome is At.DONE
    (asked,) = world.asked("make_plan")
    assert (asked.given, asked.note) == (None, "divided by the split: no model worker")
    (opinion,) = report.opinions
    assert (opinion.verdict, opinion.summary, opinion.asks) == ("none", "no model worker", False)
    assert not report.spend.total
