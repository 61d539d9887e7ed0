"""What an attempt was, and what a failed one buys. Pure.

A rung's outcome is told apart because each buys something else: green work without sites left is
done; work that leaves sites or red checks hands over to the next rung, which starts from its
checkpoint; a failed rung hands over what it got, never the tree it left.
"""

from collections.abc import Sequence

from temporalio.exceptions import ApplicationError

from activities.contracts.agent import AgentEnd
from activities.contracts.climb import Climb, Work
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.landing import Landing
from activities.contracts.work import RungOutcome, RungRun
from activities.errors import NEVER_MENDED_BY_WAITING, is_storage

REPEATABLE = ("command", "claude")
"""Rungs that may do better when asked again; a codemod says the same twice."""
NOT_AGAIN = (AgentEnd.BUDGET, AgentEnd.REFUSED, AgentEnd.FAILED)
"""Ends of an agent that another conversation would come to as well."""
GATE = "rules of the merge queue"
"""What stands for them where a check's name would."""
AGENT = "claude"
"""The rung that is a conversation with a model."""


def outcome_of(ran: RungRun, empty_fails: bool = False) -> RungOutcome:
    """What a rung left behind. `empty_fails`: changing nothing is a failure of this rung."""
    run, checkpoint = ran.run, ran.checkpoint
    if ran.agent and ran.agent.end is not AgentEnd.DONE and not checkpoint.moved:
        return RungOutcome.FAILED
    if run.ended == "timeout":
        return RungOutcome.TIMED_OUT
    if not ran.agent and (run.ended != "exit" or not ran.allowed):
        return RungOutcome.FAILED_CHANGED if checkpoint.moved else RungOutcome.FAILED
    if checkpoint.outside:
        return RungOutcome.OUTSIDE
    if checkpoint.moved and checkpoint.unresolved:
        return RungOutcome.UNRESOLVED
    if checkpoint.damage:
        return RungOutcome.DAMAGED
    if checkpoint.moved:
        return RungOutcome.CHANGED
    return RungOutcome.FAILED if empty_fails else RungOutcome.NO_CHANGE


def kept(ran: RungRun) -> str:
    """The checkpoint that the next attempt may go on from; empty: what it left was an accident."""
    sound = ran.allowed and ran.run.ended == "exit" and not ran.checkpoint.damage
    return ran.checkpoint.commit if sound and ran.checkpoint.moved else ""


def with_start(ran: RungRun, at: Climb) -> RungRun:
    """The run, where it is judged for what it began with as well: adding nothing is no failure."""
    checkpoint = ran.checkpoint
    sound = ran.allowed and ran.run.ended == "exit" and bool(checkpoint.changed)
    if not (at.unjudged and sound):
        return ran
    return ran.model_copy(update={"checkpoint": checkpoint.model_copy(update={"moved": True})})


def attempts_for(kind: str, limit: int) -> int:
    """How often a rung of this kind may be asked."""
    return limit if kind in REPEATABLE else 1


def is_the_last_word(ran: RungRun) -> bool:
    """Whether asking this agent again is of no use: it said why not, or has no means left."""
    if ran.agent is None:
        return False
    said = ran.agent.finished.status if ran.agent.finished else ""
    return said == "cannot" or ran.agent.end in NOT_AGAIN


def after_attempt(at: Climb, left: Work | None) -> Climb:
    """The place on the ladder when an attempt is over, with what it left."""
    green = left if left and left.green else None
    return at.model_copy(
        update={
            "tried": at.tried + 1,
            "agent": None,
            "openings": 0,
            "ran": None,
            "onto": green or at.onto,
            "latest": left or at.latest,
            "best": green or at.best,
        }
    )


def after_bounce(work: Work, landing: Landing, rungs: Sequence[str]) -> Climb | None:
    """Where work goes on that was turned down beside what landed meanwhile: at the first rung that
    may do better when it is told why. None: nobody would, so what is bad of it is put back."""
    able = next((number for number, kind in enumerate(rungs) if kind in REPEATABLE), None)
    if able is None:
        return None
    red = work.model_copy(update={"evidence": landing.evidence or _refused(landing, work.commit)})
    return Climb(base=work.base, start=work.commit, rung=able, latest=red)


def _refused(landing: Landing, tree: str) -> Evidence:
    """What the queue's rules said, as checks say it: it is told and saved alike."""
    gate = CheckResult(
        check=GATE,
        outcome=CheckOutcome.RED,
        reasons=landing.reasons,
        failing_files=landing.paths,
    )
    return Evidence(tree=tree, moment=Moment.LANDING, checks=(gate,))


def next_rung(at: Climb) -> Climb:
    """One rung up, which goes on from the last checkpoint that was left on purpose."""
    return at.model_copy(update={"rung": at.rung + 1, "tried": 0, "onto": at.latest})


def is_final(cause: BaseException | None) -> bool:
    """Whether a step failed by no fault of its host: another workspace would meet it again."""
    return isinstance(cause, ApplicationError) and (
        cause.non_retryable or cause.type in NEVER_MENDED_BY_WAITING
    )


def met_storage(cause: BaseException | None) -> bool:
    """Whether a step failed by trouble with storage: it says nothing about the work."""
    return isinstance(cause, ApplicationError) and is_storage(cause.type, cause.message)


def blamed(evidence: Evidence, files: Sequence[str]) -> tuple[str, ...]:
    """The task's files that the failing results name, sorted; empty when they name none."""
    named = {path for check in evidence.checks for path in check.failing_files}
    return tuple(sorted(named.intersection(files)))


def why(evidence: Evidence, path: str = "") -> str:
    """The first reasons of red checks, for a person; those that name the path where any does."""
    reasons = evidence.reasons
    module = path.rsplit(".", 1)[0].replace("/", ".")
    named = [r for r in reasons if path and (path in r or module in r)]
    return "; ".join((named or reasons)[:3]) or "its checks are red"


def halves(files: Sequence[str]) -> list[Sequence[str]]:
    """Two halves of more than one file, in order; one file stays whole."""
    if len(files) < 2:
        return [files]
    middle = len(files) // 2
    return [files[:middle], files[middle:]]
