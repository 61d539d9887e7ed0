"""Which runs stay with the code they began on, where control workers are versioned.

The SDK reads it from the decorator of a workflow alone, inside its sandbox too, and servers refuse
the word from a worker that is not versioned. So it is decided once per process, in a module that
the sandbox passes through.
"""

import os

from temporalio.common import VersioningBehavior
from temporalio.workflow import ContinueAsNewVersioningBehavior

VERSIONED = bool(os.environ.get("WHIMBREL_DEPLOYMENT"))
PINNED = VersioningBehavior.PINNED if VERSIONED else VersioningBehavior.UNSPECIFIED
"""For runs of minutes to hours; the others go over to new code at their next step."""
ONTO_NEW_CODE = ContinueAsNewVersioningBehavior.AUTO_UPGRADE if VERSIONED else None
"""For a pinned run that continues as new: the next one begins on the code of that day."""
