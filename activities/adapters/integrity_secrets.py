"""Credentials that a change would publish: known by their form, so that no honest text is one.

The forms are detect-secrets' own, without those that go by a variable's name or by how random a
text looks. Nearly no file has a word that any form needs: one look for those tells without a
pattern. What the change had somewhere before is not added by it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector

from activities.adapters.objects import DiffEntry
from activities.adapters.violation import Violation
from activities.contracts.integrity import IntegrityRule as Rule

ReadBoth = Callable[[DiffEntry], tuple[bytes, bytes]]
"""What a file holds before and after."""


@dataclass(frozen=True)
class Form:
    """One kind of credential, and how it is known."""

    kind: str
    words: tuple[bytes, ...]
    """A text that has one has one of these."""
    patterns: tuple[re.Pattern[str], ...]
    confirmed: Callable[[str], Iterable[str]]
    """What there is of it in a line: a pattern alone may be too wide."""


def _known(detector: RegexBasedDetector, *words: bytes) -> Form:
    patterns = cast("Iterable[re.Pattern[str]]", detector.denylist)
    return Form(str(detector.secret_type), words, tuple(patterns), detector.analyze_string)


def _told_by(kind: str, word: bytes, pattern: str) -> Form:
    compiled = re.compile(pattern)
    return Form(kind, (word,), (compiled,), compiled.findall)


PRIVATE_KEY = _known(PrivateKeyDetector(), b"PRIVATE KEY", b"PuTTY-User-Key-File-2")
FORMS = (
    _known(AWSKeyDetector(), b"A3T", b"ABIA", b"ACCA", b"AKIA", b"ASIA", b"aws", b"AWS", b"Aws"),
    _told_by("Anthropic API key", b"sk-ant-", r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{24,}"),
    _known(AzureStorageKeyDetector(), b"AccountKey="),
    _known(GitHubTokenDetector(), b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    _told_by("GitHub fine-grained token", b"github_pat_", r"github_pat_\w{82}(?!\w)"),
    _told_by("Google API key", b"AIza", r"(?<![\w-])AIza[\w-]{35}(?![\w-])"),
    _known(GitLabTokenDetector(), b"gl", b"GR1348941"),
    _known(JwtTokenDetector(), b"eyJ"),
    _known(MailchimpDetector(), b"-us"),
    _known(NpmDetector(), b":_authToken"),
    _known(OpenAIDetector(), b"T3BlbkFJ"),
    PRIVATE_KEY,
    _known(PypiTokenDetector(), b"pypi-AgE"),
    _known(SendGridDetector(), b"SG."),
    _known(SlackDetector(), b"xox", b"hooks.slack.com"),
    _known(SquareOAuthDetector(), b"sq0csp-"),
    _known(StripeDetector(), b"k_live_"),
)
_ANYWHERE = frozenset(
    (
        *("Anthropic API key", "GitHub Token", "GitHub fine-grained token", "Google API key"),
        *("OpenAI Token", "Private Key", "PyPI Token", "SendGrid API Key", "Slack Token"),
        "Stripe Access Key",
    )
)
UNMISTAKABLE = tuple(form for form in FORMS if form.kind in _ANYWHERE)
"""What no file that is no text has by chance."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_READABLE = bytes(byte if 32 <= byte < 127 else 10 for byte in range(256))
"""Everything else is a line end."""
SHORTEST = 16
"""Characters of a private key's first line; less is a text about keys."""
_IN_ONE_LINE = re.compile(
    rb"PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|\s)*([A-Za-z0-9+/]{%d,})" % SHORTEST
)
"""As JSON and `.env` files write it."""
SHOWN = 6
"""Characters of a credential that are told: enough to find it, too few to use it."""


class AddedSecrets:
    """Those of one change."""

    def __init__(self, both: ReadBoth) -> None:
        self._both = both
        self._entries: list[DiffEntry] = []
        self._found: list[tuple[str, int | None, str, bytes]] = []
        """Path, line, kind, the credential."""

    def look(self, entry: DiffEntry) -> None:
        """Takes one file into account."""
        self._entries.append(entry)
        if entry.status == "D":
            return
        new, is_text = _readable(self._both(entry)[1])
        known = FORMS if is_text else UNMISTAKABLE
        forms = [form for form in known if any(word in new for word in form.words)]
        if not forms:
            return
        lines = new.split(b"\n")
        for number, line in enumerate(lines, 1):
            for form in forms:
                if any(word in line for word in form.words):
                    behind = lines[number].strip() if number < len(lines) else b""
                    self._found += (
                        (entry.path, number if is_text else None, form.kind, secret)
                        for secret in _secrets(form, line, behind)
                    )

    def violations(self) -> Iterator[Violation]:
        """What no file of the change held before it."""
        if not self._found:
            return
        before = [_readable(self._both(entry)[0])[0] for entry in self._entries]
        for path, line, kind, secret in self._found:
            if not any(secret in old for old in before):
                shown = secret[:SHOWN].decode("utf-8", "replace")
                yield Violation(Rule.SECRETS_ADDED, path, line, f"{kind} ({shown}…)")


def _readable(content: bytes) -> tuple[bytes, bool]:
    """A text, or of other files what is readable in them; and whether it is a text."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace").encode(), True
    if b"\0" not in content:
        return content, True
    return content.translate(_READABLE), False


def _secrets(form: Form, line: bytes, behind: bytes) -> list[bytes]:
    """The credentials in a line; of a private key, whose head says nothing, what is behind it."""
    text = line.decode("utf-8", "surrogateescape")
    if not any(form.confirmed(text)):
        return []
    if form is PRIVATE_KEY:
        if inside := _IN_ONE_LINE.search(line):
            return [inside[1]]
        return [behind] if len(behind) >= SHORTEST else []
    found = (match.group() for pattern in form.patterns for match in pattern.finditer(text))
    return [secret.encode("utf-8", "surrogateescape") for secret in dict.fromkeys(found)]
