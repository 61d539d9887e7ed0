"""The fault points of activities. What a fault point is, and what may happen there, is said in
adapters/fault_points.py; the interceptor is there only when a test asked for faults.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

ACTIVITIES = (
    "answer_tasks",
    "ask_area",
    "ask_for_files",
    "ask_to_land",
    "claim_branch",
    "close_workspace",
    "compose_base_merge",
    "compose_batch",
    "conclude_attempt",
    "count_left",
    "count_workers",
    "describe_migration",
    "describe_runs",
    "draw_plan",
    "find_deep",
    "find_landed",
    "find_push",
    "hand_off",
    "hear_agent",
    "join_handoffs",
    "join_plan",
    "judge_cycle",
    "judge_pilot",
    "land",
    "list_mcp_tools",
    "load_rows",
    "load_task",
    "look_at_base",
    "make_plan",
    "open_judge_talk",
    "open_planner_talk",
    "open_worker_talk",
    "open_workspace",
    "put_back",
    "read_ends",
    "refund_cap",
    "reserve_cap",
    "rework",
    "run_checks",
    "run_rung",
    "settle_push",
    "steer_tasks",
    "sum_spend",
    "take_base",
    "take_baseline",
    "take_opinion",
    "take_survey",
    "take_turn",
    "tell_planner",
    "use_tools",
    "write_report",
)
"""Of all roles: a process that has some of them must still know a point from a misspelt one."""

Passing = Callable[[str], Awaitable[bool]]
"""Passes a point; whether the activity is to run again."""


class FaultInterceptor(Interceptor):
    """Passes `before:<activity>` and `after:<activity>` of every activity."""

    def __init__(self, passing: Passing) -> None:
        self._passing = passing

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _FaultInbound(next, self._passing)


class _FaultInbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, passing: Passing) -> None:
        super().__init__(next)
        self._passing = passing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = activity.info().activity_type
        await self._passing(f"before:{name}")
        result = await super().execute_activity(input)
        if await self._passing(f"after:{name}"):
            result = await super().execute_activity(input)
        return result
