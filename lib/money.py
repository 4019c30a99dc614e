"""Money is whole micro-dollars everywhere; this is how people read it."""


def dollars(micro: int) -> str:
    """At least cents, and no more digits than the amount has: $0.20, $0.015, $1,200.00."""
    sign = "−" if micro < 0 else ""
    whole, rest = divmod(abs(micro), 1_000_000)
    digits = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{digits}"
