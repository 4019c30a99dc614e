"""The acts of collecting, by the names that tasks and other parts call them."""

from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due

__all__ = ["adopt_live_parts", "measure_due"]
