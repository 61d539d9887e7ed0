"""What of the environment names a model, and what of it is secret. The client's own code is not
needed to tell: it takes over a second to load, which a process without a model does not spend."""

from collections.abc import Mapping, MutableMapping

KEY, TOKEN, BASE_URL = "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"
ELSEWHERE = ("ANTHROPIC_PROFILE", "ANTHROPIC_FEDERATION_RULE_ID")
"""What the SDK finds a credential by that is not in the environment itself."""
AWS_KEY = "ANTHROPIC_AWS_API_KEY"
SECRET = (
    KEY,
    TOKEN,
    "ANTHROPIC_CUSTOM_HEADERS",
    AWS_KEY,
    "ANTHROPIC_FOUNDRY_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
)
"""What clients read once. A cloud's own credentials stay: its buckets are asked with them too."""
ANTHROPIC = "anthropic"


def names_model(environment: Mapping[str, str], provider: str = ANTHROPIC) -> bool:
    """A cloud that is named is one, and its client says what is missing."""
    by = (KEY, TOKEN, BASE_URL, *ELSEWHERE)
    return provider != ANTHROPIC or any(map(environment.get, by))


def forget(environment: MutableMapping[str, str]) -> None:
    for name in SECRET:
        environment.pop(name, None)
