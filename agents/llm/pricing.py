"""What tokens cost: exact, and rounded once for each call, half a micro-dollar up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from agents.llm.catalogue import Model, Rates
from agents.llm.types import Usage
from lib.clock import now

ONE = Decimal(1)
FREE = Rates(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Tariff:
    """The row of the price table that holds on one day."""

    tiers: tuple[Rates, ...]
    effective_from: date | None = None

    def rates(self, input_tokens: int) -> Rates:
        """A long prompt costs more from its first token on."""
        return next((tier for tier in reversed(self.tiers) if input_tokens > tier.above), self.tiers[0])

    def cost_micro(self, usage: Usage) -> int:
        return int(self._exact(usage).quantize(ONE, ROUND_HALF_UP))

    def _exact(self, usage: Usage) -> Decimal:
        rates = self.rates(usage.input)
        cached = min(usage.cached, usage.input)
        written = min(usage.cache_write, usage.input - cached)
        # Reasoning is a part of the output already.
        return (
            (usage.input - cached - written) * rates.input
            + cached * rates.cached
            + written * rates.cache_write
            + usage.output * rates.output
        )

    def worst_micro(self, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens may cost."""
        return max(
            int(_worst(tier, input_tokens, output_tokens).quantize(ONE, ROUND_CEILING))
            for tier in self.tiers
            if tier.above <= input_tokens
        )

    def most_output(self, input_tokens: int, room_micro: int) -> int:
        """How many tokens of output the room leaves, whatever the input costs; negative where even that is too much."""
        dearest = max(tier.output for tier in self.tiers if tier.above <= input_tokens)
        left = room_micro - self.worst_micro(input_tokens, 0)
        if not dearest:
            return 2**31 if left >= 0 else -1
        return int(left // dearest)

    def as_json(self, input_tokens: int) -> Mapping[str, Any]:
        rates = self.rates(input_tokens)
        names = ("input", "cached", "cache_write", "output")
        row: dict[str, Any] = {name: f"{getattr(rates, name).normalize():f}" for name in names}
        row["effective_from"] = self.effective_from.isoformat() if self.effective_from else None
        return {**row, "above": rates.above} if rates.above else row


def _worst(tier: Rates, input_tokens: int, output_tokens: int) -> Decimal:
    return input_tokens * max(tier.input, tier.cached, tier.cache_write) + output_tokens * tier.output


def tariff(model: Model, on: date | None = None) -> Tariff:
    """A price that begins later does not hold yet; before the first one the first one holds."""
    if not model.prices:
        return Tariff((FREE,))
    on = on or now().date()
    row = next((row for row in reversed(model.prices) if row.effective_from <= on), model.prices[0])
    return Tariff(row.tiers, row.effective_from)
