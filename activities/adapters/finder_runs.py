"""What a run tells that was started to find something, and whether it may be believed.

Only what is certain to be an answer is one: a program that crashed, or that the shell did not find,
must never read as "nothing to do here".
"""

from collections.abc import Collection

from activities.adapters.commands import Ran
from activities.adapters.finders import parse_found, unread
from activities.adapters.scanning import FinderFailed

SAID = 600
"""Characters of what it said that a failure shows."""
WHOLE_OUTPUT = 64 << 20
"""Bytes of output that are read: half of an answer would be none."""


def found_by(ran: Ran | None, known: Collection[str]) -> list[tuple[str, int | None]]:
    """The places that a finder's command printed. Raises FinderFailed.

    Exit code 1 is how grep says "nothing" and linters say "something"; Python says it of a crash,
    and a pipe whose first program is missing ends with it too. So with it every line must name a
    site: words that no finder would say are those of something that went wrong.
    """
    if ran is None:
        return []
    must_have_run("finder", ran, (0, 1))
    if ran.exit and (strange := unread(ran.output, known)):
        raise FinderFailed(
            "the finder ended with exit code 1 and said more than `path` or `path:line`:"
            f" {_both_ends(strange)}; if that is how it says what it found, end its command with"
            " `|| [ $? = 1 ]`, or keep what it says beside it out with `2>/dev/null`"
        )
    return parse_found(ran.output, known)


def must_have_run(what: str, ran: Ran | None, exits: tuple[int, ...] | None) -> None:
    """`exits`: the codes that count as having run; None: any (a dry run is judged by its diff)."""
    if ran is None:
        return
    if ran.ended == "exit" and (exits is None or ran.exit in exits):
        if exits is not None and ran.truncated:
            size = f"{WHOLE_OUTPUT >> 20} MiB"
            raise FinderFailed(f"the {what} printed more than {size}: it would be read in part")
        return
    said = ran.output.decode("utf-8", "replace").strip()
    if ran.ended in ("prepare", "setup"):
        raise FinderFailed(f"the {what} could not run: {_both_ends(said)}")
    how = f"exit code {ran.exit}" if ran.ended == "exit" else ran.ended
    raise FinderFailed(f"the {what} ended with {how}: {said[-SAID:]}")


def _both_ends(text: str) -> str:
    """Its start, which says what failed, and its end, which says why."""
    return text if len(text) <= SAID else f"{text[: SAID // 4]} … {text[-SAID:]}"
