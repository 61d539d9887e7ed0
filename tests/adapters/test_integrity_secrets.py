"""Credentials that a change would publish. The samples are put together here: none is one."""

import base64

import pytest

from activities.adapters.integrity_secrets import FORMS
from activities.contracts.integrity import IntegrityRule, Waiver
from tests.adapters.changes import broken, told

HEX, LONG = "0123456789abcdef" * 4, "aB3dE6gH9kL2nP5rS8uV1xY4z" * 4
SAMPLES = {
    "AWS Access Key": "AKIA" + "IOSFODNN7EXAMPL3",
    "AWS secret": "aws_secret_key = '" + LONG[:40] + "'",
    "Anthropic API key": "sk-ant-" + "api03-" + LONG[:40],
    "Azure Storage Account access key": "AccountKey=" + LONG[:86] + "==",
    "GitHub Token": "ghp_" + LONG[:36],
    "GitHub fine-grained token": "github_" + "pat_" + LONG[:22] + "_" + LONG[:59],
    "Google API key": "AIza" + "Sy" + LONG[:33],
    "GitLab Token": "glpat-" + LONG[:20],
    "JSON Web Token": ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890"}', LONG[:32].encode())
    ),
    "Mailchimp Access Key": HEX[:32] + "-us12",
    "NPM tokens": "//registry/:_authToken=npm_" + LONG[:36],
    "OpenAI Token": "sk-" + LONG[:20] + "T3Blbk" + "FJ" + LONG[:20],
    "PyPI Token": "pypi-AgE" + "IcHlwaS5vcmc" + LONG[:72],
    "SendGrid API Key": "SG." + LONG[:22] + "." + LONG[:43],
    "Slack Token": "xoxb-" + "123456789012-" + LONG[:24].lower(),
    "Square OAuth Secret": "sq0csp-" + LONG[:43],
    "Stripe Access Key": "sk_" + "live_" + LONG[:24],
    "Private Key": "-----BEGIN RSA PRIVATE " + "KEY-----\n" + LONG[:64],
}
PEM = SAMPLES["Private Key"].replace("\n", "\\n")
BEFORE = "one = 1\n"


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_credential_is_refused_wherever_it_is_added(kind: str) -> None:
    added = f"{BEFORE}key = {SAMPLES[kind]}\n"
    for path in ("app/settings.py", "tests/test_a.py", "deploy/values.yaml", "NOTES"):
        (said,) = told({path: (BEFORE, added)})
        assert said.startswith(f"secrets-added: {path}:2: ")
        assert SAMPLES[kind] not in said, "a report is read by more people than the change"
        assert broken({path: (None, added)}) == [f"secrets-added:{path}:2"]


@pytest.mark.parametrize("text", [f'{{"key": "{PEM}\\n"}}', f'KEY="{PEM}"\n', f"{PEM}\nlast: 1\n"])
def test_a_private_key_in_one_line_is_refused_too(text: str) -> None:
    assert broken({"key.json": (None, text)}) == ["secrets-added:key.json:1"]
    assert told({"key.json": (f"# {text}", text)}) == []


def test_every_form_has_a_sample() -> None:
    seen = [form for form in FORMS if any([*form.confirmed(s)] for s in SAMPLES.values())]
    assert len(seen) == len(FORMS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_was_there_before_may_be_edited_moved_and_copied(kind: str) -> None:
    was = f"key = {SAMPLES[kind]}\n"
    assert told({"a.cfg": (was, f"# ours\n{was}")}) == []
    assert told({"a.cfg": (was, None), "b.cfg": (None, was)}) == []
    assert told({"a.cfg": (was, BEFORE)}) == []


@pytest.mark.parametrize(
    "honest",
    [
        f"sha256 = '{HEX}'",
        f"commit = {HEX[:40]}",
        f"--hash=sha256:{HEX}",
        "password = os.environ['AWS_SECRET_ACCESS_KEY']",
        "url = 'https://user:pass@example.com/x'",
        "-----BEGIN CERTIFICATE-----",
        "if 'BEGIN RSA PRIVATE KEY' in text:",
        "token = 'ghp_' + load()",
        "stripe.api_key = 'sk_test_" + LONG[:24] + "'",
        f"integrity = 'sha512-{LONG[:86]}=='",
        "def test_glob_patterns_of_all_kinds_are_expanded(): ...",
        f"data = '{LONG}'",
    ],
)
def test_what_only_looks_a_little_like_one_may_be_added(honest: str) -> None:
    assert told({"app/a.py": (BEFORE, f"{BEFORE}{honest}\n")}) == []


def test_a_fixture_can_be_allowed_by_name() -> None:
    waiver = Waiver(rule=IntegrityRule.SECRETS_ADDED, paths=("/tests/keys/",), reason="made up")
    key = SAMPLES["Private Key"]
    assert told({"tests/keys/a.pem": (None, key)}, waiver) == []
    assert broken({"keys/a.pem": (None, key)}, waiver) == ["secrets-added:keys/a.pem:1"]


def test_of_a_file_that_is_no_text_what_nobody_has_by_chance_is_found() -> None:
    token, jwt = (SAMPLES[kind].encode() for kind in ("GitHub Token", "JSON Web Token"))
    assert told({"a.bin": (None, b"\0\xff" + jwt + b"\0")}) == []
    found = told({"a.bin": (None, b"\0\xff" + token + b"\0\1")})
    assert found == ["secrets-added: a.bin: GitHub Token (ghp_aB…)"]
    assert told({"a.bin": (b"\0\2" + token, b"\0\xff" + token)}) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_text_in_utf_16_is_read(encoding: str) -> None:
    text = (
        f"\ufeffone\nT={SAMPLES['GitHub Token']}\n"
        if encoding[-2:] == "be"
        else (f"one\nT={SAMPLES['GitHub Token']}\n")
    )
    found = told({"a.txt": (None, text.encode(encoding))})
    assert found == ["secrets-added: a.txt:2: GitHub Token (ghp_aB…)"]
