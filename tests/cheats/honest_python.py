"""What migrations of Python code do to it, as small excerpts: each of these has to land."""

from tests.cheats.cases import Case, moved, rewritten

VALIDATE = """
    import unittest

    from oauthlib.uri_validate import is_absolute_uri


    class UriValidateTest(unittest.TestCase):

        def test_is_absolute_uri(self):
            self.assertIsNotNone(is_absolute_uri('schema://example.com/path'))
            self.assertIsNone(is_absolute_uri('wrong'))

        def test_errors(self):
            with self.assertRaises(ValueError) as caught:
                is_absolute_uri(None)
            self.assertEqual(caught.exception.args, ('uri',))
    """
CLIENT = """
    from unittest import mock

    @mock.patch("shop.client.requests.get")
    def test_stock(get):
        get.return_value.json.return_value = {"tea": 1}
        assert stock() == {"tea": 1}
        get.assert_called_once_with("/stock", timeout=5)
    """
THREE = """
    def test_one():
        assert words("a") == 1


    def test_two():
        assert words("a b") == 2


    def test_none():
        assert words("") == 0
    """

HONEST: dict[str, Case] = {
    "unittest's assertions become asserts": rewritten(
        "tests/test_uri_validate.py",
        VALIDATE,
        """
        import unittest

        import pytest

        from oauthlib.uri_validate import is_absolute_uri


        class UriValidateTest(unittest.TestCase):

            def test_is_absolute_uri(self):
                assert is_absolute_uri('schema://example.com/path') is not None
                assert is_absolute_uri('wrong') is None

            def test_errors(self):
                with pytest.raises(ValueError) as caught:
                    is_absolute_uri(None)
                assert caught.value.args == ('uri',)
        """,
    ),
    "a test case becomes functions": rewritten(
        "tests/test_validate.py",
        VALIDATE,
        """
        import pytest

        from oauthlib.uri_validate import is_absolute_uri


        def test_is_absolute_uri():
            assert is_absolute_uri('schema://example.com/path') is not None
            assert is_absolute_uri('wrong') is None


        def test_errors():
            with pytest.raises(ValueError, match='uri'):
                is_absolute_uri(None)
            assert True is not None
        """,
    ),
    "skips in another framework's words": rewritten(
        "tests/test_skips.py",
        """
        class SkipTest(unittest.TestCase):
            @unittest.skip("no display")
            def test_window(self):
                self.assertTrue(window())

            @unittest.skipIf(sys.platform == "win32", "posix")
            def test_fork(self):
                if not hasattr(os, "fork"):
                    self.skipTest("no fork")
                self.assertTrue(fork())
        """,
        """
        class TestSkip:
            @pytest.mark.skip(reason="no display")
            def test_window(self):
                assert window()

            @pytest.mark.skipif(sys.platform == "win32", reason="posix")
            def test_fork(self):
                if not hasattr(os, "fork"):
                    pytest.skip("no fork")
                assert fork()
        """,
    ),
    "nose's asserts": rewritten(
        "tests/test_nose.py",
        "from nose.tools import eq_, ok_, assert_raises\n\n\ndef test_a():\n    eq_(f(), 1)\n"
        "    ok_(g())\n    assert_raises(ValueError, h, 1)\n",
        "import pytest\n\n\ndef test_a():\n    assert f() == 1\n"
        "    assert g()\n    with pytest.raises(ValueError):\n        h(1)\n",
    ),
    "a try with a fail becomes raises": rewritten(
        "tests/test_try.py",
        "def test_a(self):\n    try:\n        f()\n        self.fail('no error')\n"
        "    except ValueError:\n        pass\n",
        "def test_a(self):\n    with pytest.raises(ValueError):\n        f()\n",
    ),
    "setUp becomes a fixture": rewritten(
        "tests/test_setup.py",
        "class TestA(TestCase):\n    def setUp(self):\n        self.a = A()\n\n"
        "    def test_a(self):\n        self.assertEqual(self.a.n, 1)\n",
        "class TestA:\n    @pytest.fixture(autouse=True)\n    def _a(self):\n"
        "        self.a = A()\n\n"
        "    def test_a(self):\n        assert self.a.n == 1\n",
    ),
    "three tests become one of three cases": rewritten(
        "tests/test_words.py",
        THREE,
        """
        import pytest


        @pytest.mark.parametrize(
            ("text", "expected"),
            [
                ("a", 1),
                ("a b", 2),
                ("", 0),  # nothing
            ],
        )
        def test_words(text, expected):
            assert words(text) == expected
        """,
    ),
    "assertions become calls of a helper that asserts": rewritten(
        "tests/test_helper.py",
        """
        def test_words():
            assert words("a") == 1
            assert words("a b") == 2
            assert words("") == 0
        """,
        """
        def _check(text, expected):
            assert words(text) == expected


        def test_words():
            _check("a", 1)
            _check("a b", 2)
            _check("", 0)
        """,
    ),
    "a helper of another file asserts": Case(
        {
            "tests/test_far.py": "def test_a():\n    assert f(1) == 1\n    assert f(2) == 2\n",
            "tests/support.py": "",
        },
        {
            "tests/test_far.py": "from support import holds\n\n\ndef test_a():\n"
            "    holds(1)\n    holds(2)\n",
            "tests/support.py": "def holds(n):\n    assert f(n) == n\n",
        },
    ),
    "Python 2's print and dictionaries": rewritten(
        "pygments/formatters.py",
        "def show(d):\n    for k, v in d.iteritems():\n        print >>out, k, v\n",
        "def show(d):\n    for k, v in d.items():\n        print(k, v, file=out)\n",
    ),
    "Python 2's exceptions in tests": rewritten(
        "tests/test_lexers.py",
        "class LexersTest(unittest.TestCase):\n    def test_a(self):\n        try:\n"
        "            self.assertEquals(u'a', lex('a'))\n        except IOError, e:\n"
        "            print 'failed', e\n            raise\n",
        "class LexersTest(unittest.TestCase):\n    def test_a(self):\n        try:\n"
        "            self.assertEqual('a', lex('a'))\n        except IOError as e:\n"
        "            print('failed', e)\n            raise\n",
    ),
    "a failure that was caught in Python 2 still is": rewritten(
        "tests/test_old.py",
        "def test_a():\n    try:\n        assert f()\n    except Exception, e:\n        pass\n",
        "def test_a():\n    try:\n        assert f()\n    except Exception as e:\n        pass\n",
    ),
    "requests becomes httpx and its mocks": rewritten(
        "tests/test_client.py",
        CLIENT,
        CLIENT.replace("requests.get", "httpx.get").replace("def test_stock", "def test_the_stock"),
    ),
    "responses becomes respx": rewritten(
        "tests/test_http.py",
        """
        @responses.activate
        def test_stock():
            responses.add(responses.GET, URL, json={"tea": 1})
            assert stock() == {"tea": 1}
            responses.assert_call_count(URL, 1)
        """,
        """
        @respx.mock
        def test_stock():
            route = respx.get(URL).respond(json={"tea": 1})
            assert stock() == {"tea": 1}
            assert route.call_count == 1
        """,
    ),
    "a test becomes asynchronous": rewritten(
        "tests/test_async.py",
        "def test_a(client):\n    assert client.get('/').status_code == 200\n",
        "async def test_a(client):\n    response = await client.get('/')\n"
        "    assert response.status_code == 200\n",
    ),
    "a file of tests is renamed": moved("tests/test_uris.py", "tests/test_uri.py", VALIDATE),
    "tests go to a package of their own": moved(
        "tests/test_oauth.py", "tests/unit/oauth/test_oauth.py", VALIDATE
    ),
    "tests are split over files": Case(
        {"tests/test_both.py": "def test_a():\n    assert a\n\n\ndef test_b():\n    assert b\n"},
        {
            "tests/test_both.py": None,
            "tests/test_a.py": "def test_a():\n    assert a\n",
            "tests/test_b.py": "def test_b():\n    assert b\n",
        },
    ),
    "fixtures go to a conftest": Case(
        {
            "tests/test_shop.py": "@pytest.fixture\ndef shop():\n    return 1\n\n\n"
            "def test_a(shop):\n    assert shop\n"
        },
        {
            "tests/test_shop.py": "def test_a(shop):\n    assert shop\n",
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef shop():\n    return 1\n",
        },
    ),
    "numpy's aliases": rewritten(
        "tests/test_numpy.py",
        "def test_a():\n    np.testing.assert_array_equal(f(), np.array([1], dtype=np.int))\n",
        "def test_a():\n    np.testing.assert_array_equal(f(), np.array([1], dtype=int))\n",
    ),
}
