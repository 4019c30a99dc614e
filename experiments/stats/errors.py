class StatsError(ValueError):
    """Numbers that no method can use, in words for whoever gave them."""
