"""A user without rights, for what a worker that is not root does: needs root, and a python that
everybody can run and that takes the tests' packages."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UID = 61234
PYTHON = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "/usr/bin/python3", "-B")
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}


def needed() -> None:
    """Skips the test where there is no such user."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    probe = [*PYTHON, "-c", "import pydantic, activities"]
    if subprocess.run(probe, env=ENVIRONMENT, capture_output=True, check=False).returncode:
        pytest.skip("needs a python that everybody can run, with the tests' packages")
