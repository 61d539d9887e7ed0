"""What a spec's `integrity` section lets pass, and where."""

from collections.abc import Sequence
from functools import lru_cache

from pathspec import GitIgnoreSpec

from activities.contracts.integrity import Waiver


class Waived:
    """The waivers of one spec."""

    def __init__(self, waivers: Sequence[Waiver] = ()) -> None:
        self._waivers = [(waiver.rule, _spec(waiver.paths)) for waiver in waivers]

    def lets(self, rule: str, path: str) -> bool:
        """Whether a rule may be broken at a path."""
        return any(rule == waived and paths.match_file(path) for waived, paths in self._waivers)


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


NOTHING_WAIVED = Waived()
