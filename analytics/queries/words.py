"""Numbers as people read them."""

from lib.money import dollars


def money(micro: int, currency: str = "USD") -> str:
    """At least cents; dollars with their sign, other currencies by name."""
    if currency == "USD":
        return dollars(round(micro / 10_000) * 10_000)
    sign = "−" if micro < 0 else ""
    return f"{sign}{abs(micro) / 1_000_000:,.2f} {currency}"


def amount(name: str, value: int | None, currency: str = "USD") -> str:
    """Of a number in `Totals`; empty where it was not measured. Revenue is in the workspace's currency."""
    if value is None:
        return ""
    if name == "revenue_micro":
        return money(value, currency)
    return money(value) if name.endswith("_micro") else f"{value:,}"


def percent(share: float | None) -> str:
    """Two digits that matter: 0.23 %, 4.1 %, 38 %, 120 %."""
    if share is None:
        return ""
    value = 100 * share
    return f"{value:,.0f} %" if abs(value) >= 10 else f"{value:.2g} %"


def signed_percent(share: float | None, digits: int = 0) -> str:
    """+120 %, −8 %; with a digit +12.2 %."""
    if share is None:
        return ""
    value = round(100 * share, digits)
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):,.{digits}f}".removesuffix(".0") + " %"
