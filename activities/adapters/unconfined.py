"""Level none: the command runs with the worker's own rights, limits and an empty environment only.

There are no mounts, so the constant paths are replaced by the host's in arguments and environment.
"""

import re
from pathlib import Path

from activities.adapters.bubblewrap import variables
from activities.adapters.jobs import HOME, TMPDIR, Job
from activities.adapters.orphans import VARIABLE


def unconfined(job: Job, scratch: Path, marker: str) -> tuple[list[str], dict[str, str], str]:
    """(argv, environment, working folder) on the host; `marker` makes stray processes findable."""
    paths = {mount.target: str(mount.source) for mount in job.mounts}
    for target, name in ((HOME, "home"), (TMPDIR, "tmp")):
        if target not in paths:
            (scratch / name).mkdir()
            paths[target] = str(scratch / name)
    longest = sorted(paths, key=len, reverse=True)
    pattern = re.compile(
        r"(?<![\w./-])(" + "|".join(re.escape(path) for path in longest) + r")(?![\w.-])"
    )

    def here(text: str) -> str:
        return pattern.sub(lambda found: paths[found[1]], text)

    translated = {key: here(text) for key, text in variables(job).items()} | {VARIABLE: marker}
    return [here(word) for word in job.argv], translated, here(job.cwd)
