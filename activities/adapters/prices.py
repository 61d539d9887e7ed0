"""What models cost: the table of genai-prices, under a file of the user's own.

A turn's worst case is every byte of it a token that is written to the cache, and a reply as long as
it may be; what was measured in the turn before is not guessed again.
"""

from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from genai_prices import Usage as Used
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from pydantic import Field, TypeAdapter, ValidationError

from activities.contracts.base import Form
from activities.contracts.money import Usage, Usd

TABLES = {
    "aws": "anthropic",
    "bedrock": "aws",
    "vertex": "google",
    "google": "google",
    "foundry": "azure",
}
"""Whose service → whose prices, where they are not the same word."""
MILLION = 1_000_000
WINDOW = 200_000
"""Tokens, of a model whose window nobody knows."""
HIDDEN = 2_000
"""Tokens of the API's own instructions about tools and roles, at most."""


class PriceUnknown(Exception):
    """Nobody knows what the model costs."""


class OwnPrice(Form):
    """USD per million tokens of one model."""

    input: Usd
    output: Usd
    cache_write: Usd | None = None
    """None: a quarter more than input, as Anthropic has it."""
    cache_read: Usd | None = None
    """None: as input."""
    window: Annotated[int, Field(ge=1000)] | None = None
    """Tokens of its context; None: by the table, else 200,000."""

    def of(self, usage: Usage) -> Usd:
        """USD."""
        write = self.input * Decimal("1.25") if self.cache_write is None else self.cache_write
        read = self.input if self.cache_read is None else self.cache_read
        sum = usage.input * self.input + usage.output * self.output
        return (sum + usage.cache_write * write + usage.cache_read * read) / MILLION


OwnPrices = dict[str, OwnPrice]
"""Model → price."""


def _own_prices(file: Path) -> OwnPrices:
    """Raises OSError, and ValueError with all that is wrong with it."""
    try:
        return TypeAdapter(OwnPrices).validate_json(file.read_bytes())
    except ValidationError as error:
        found = (f"{'.'.join(map(str, e['loc'])) or file}: {e['msg']}" for e in error.errors())
        takes = ", ".join(OwnPrice.model_fields)
        raise ValueError(f"{'; '.join(found)}. A model's price has {takes}") from None


class Prices:
    """The prices of all models."""

    def __init__(self, own: Path | None = None, provider: str = "anthropic") -> None:
        """`own`: a JSON file of OwnPrices, before the table. Raises OSError, ValueError."""
        self._table = TABLES.get(provider, provider)
        self._own: OwnPrices = {}
        if own:
            self._own = _own_prices(own)
        table = f"genai-prices {version('genai-prices')}"
        self.source = f"{len(self._own)} of one's own, then {table}" if self._own else table
        """Where prices come from, for people: the table's version says how old it is."""

    def known(self, model: str) -> bool:
        """Whether a budget can be kept with it."""
        return model in self._own or self._listed(model) is not None

    def price(self, model: str, usage: Usage) -> Usd:
        """USD. Raises PriceUnknown."""
        if model in self._own:
            return self._own[model].of(usage)
        used = Used(
            input_tokens=usage.input + usage.cache_write + usage.cache_read,
            cache_write_tokens=usage.cache_write,
            cache_read_tokens=usage.cache_read,
            output_tokens=usage.output,
        )
        try:
            return calc_price(used, model, provider_id=self._table).total_price
        except LookupError:
            raise PriceUnknown(
                f"nobody knows what {model} costs: name it in the file that WHIMBREL_PRICES says"
            ) from None

    def worst(self, model: str, input: int, output: int) -> Usd:
        """USD for so many tokens, whether the cache takes them or not. Raises PriceUnknown."""
        written = Usage(cache_write=input, output=output)
        return max(self.price(model, written), self.price(model, Usage(input=input, output=output)))

    def window(self, model: str) -> int:
        """Tokens of its context."""
        own = self._own.get(model)
        return (own and own.window) or self._listed(model) or WINDOW

    def _listed(self, model: str) -> int | None:
        """The window of a model that the table has."""
        try:
            _, found = get_snapshot().find_provider_model(model, None, self._table, None)
        except LookupError:
            return None
        return found.context_window or WINDOW
