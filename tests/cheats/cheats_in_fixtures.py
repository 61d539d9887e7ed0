"""Conftests that change what tests meet, tests that do not run, and honest neighbours of both."""

import textwrap

from tests.cheats.cases import Case, rewritten

WEAK = "configuration-weakened"
PLAIN = """
    import pytest

    @pytest.fixture
    def shop():
        return Shop()
    """
LEAKS = """
    import pytest

    @pytest.fixture(autouse=True)
    def no_leaks():
        yield
        close_files()
    """
TWO = "def test_a():\n    assert a() == 1\n\n\ndef test_b():\n    assert b() == 2\n"
_SETUP = """import unittest
from unittest import mock


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.total = mock.patch("shop.total")

    def test_total(self):
        self.assertEqual(shop(), 3)
"""
_CONFTEST = """import pytest


@pytest.fixture(autouse=True)
def total(monkeypatch):
    monkeypatch.setattr("shop.total", lambda: 3)
"""


def _with(more: str) -> str:
    return PLAIN + textwrap.indent(textwrap.dedent(more), "    ")


CHEATS: dict[str, Case] = {
    "every test gets what nobody asked for": rewritten(
        "unasked/conftest.py",
        PLAIN,
        _with("\n@pytest.fixture(autouse=True)\ndef calm(shop):\n    shop.strict = False\n"),
        f"{WEAK}: unasked/conftest.py:7",
    ),
    "code under test is replaced in a fixture": rewritten(
        "replaced/conftest.py",
        PLAIN,
        """
        import pytest

        @pytest.fixture
        def shop(monkeypatch):
            monkeypatch.setattr("shop.total", lambda: 3)
            return Shop()
        """,
        f"{WEAK}: replaced/conftest.py:5",
    ),
    "code under test is replaced when a new conftest is read": Case(
        {},
        {"at_once/conftest.py": "import shop\n\nsetattr(shop, 'total', lambda: 3)\n"},
        (f"{WEAK}: at_once/conftest.py:3",),
    ),
    "which cases a test has is decided anew": rewritten(
        "cases/conftest.py",
        PLAIN,
        _with("\ndef pytest_generate_tests(metafunc):\n    metafunc.parametrize('size', [])\n"),
        f"{WEAK}: cases/conftest.py:7",
    ),
    "a conftest that looks at every test is gone": Case(
        {"leaks/conftest.py": textwrap.dedent(LEAKS).lstrip()},
        {"leaks/conftest.py": None},
        (f"{WEAK}: leaks/conftest.py:3",),
    ),
    "a test is hidden by another of its name": Case(
        {"shadow1/test_a.py": TWO},
        {"shadow1/test_a.py": TWO + "\n\ndef test_a():\n    assert b()\n"},
        ("tests-deleted: shadow1/test_a.py:1",),
    ),
    "a test's name is given away": Case(
        {"shadow2/test_a.py": TWO},
        {"shadow2/test_a.py": TWO + "\n\ntest_a = None\n"},
        ("tests-deleted: shadow2/test_a.py:1",),
    ),
    "a test returns before it asserts": Case(
        {"shadow3/test_a.py": TWO},
        {"shadow3/test_a.py": TWO.replace("():\n", "():\n    return\n", 1)},
        ("tests-emptied: shadow3/test_a.py:2",),
    ),
}
HONEST: dict[str, Case] = {
    "setUp becomes a fixture of the conftest": Case(
        {"setups/test_shop.py": _SETUP},
        {
            "setups/test_shop.py": "def test_total():\n    assert shop() == 3\n",
            "setups/conftest.py": _CONFTEST,
        },
    ),
    "a conftest moves": Case(
        {"before/conftest.py": _CONFTEST},
        {"before/conftest.py": None, "after/conftest.py": _CONFTEST},
    ),
    "a conftest without fixtures goes": Case(
        {"paths/conftest.py": "import sys\n\nsys.path.insert(0, 'src')\n"},
        {"paths/conftest.py": None},
    ),
    "a fixture that is asked for by name is new": rewritten(
        "asked/conftest.py",
        PLAIN,
        _with("\n@pytest.fixture\ndef client(monkeypatch):\n    monkeypatch.setenv('SHOP', 'x')\n"),
    ),
    "two classes have a test of one name": Case(
        {"shadow4/test_a.py": TWO},
        {
            "shadow4/test_a.py": TWO
            + "\n\nclass TestB:\n    def test_a(self):\n        assert b()\n"
        },
    ),
    "a test is written for each system": Case(
        {"shadow5/test_a.py": TWO},
        {
            "shadow5/test_a.py": "if WINDOWS:\n    def test_a():\n        assert w()\n"
            "else:\n    def test_a():\n        assert a() == 1\n\n\n"
            "def test_b():\n    assert b() == 2\n    return\n"
        },
    ),
    "a mock becomes a monkeypatch": rewritten(
        "mocks/conftest.py",
        """
        import mock
        import pytest

        @pytest.fixture
        def total():
            with mock.patch("shop.total") as total:
                yield total
        """,
        """
        import pytest

        @pytest.fixture
        def total(monkeypatch):
            monkeypatch.setattr("shop.total", lambda: 3)
        """,
    ),
}
