"""The acts of collecting, by the names that tasks and other parts call them."""

from analytics.collection.adopt import adopt_live_parts
from analytics.collection.followers import read_followers
from analytics.collection.measure import measure_due
from analytics.collection.telegram import hear_channel_post, hear_member, hear_reaction
from analytics.collection.timeline import import_due, import_timeline

__all__ = [
    "adopt_live_parts",
    "hear_channel_post",
    "hear_member",
    "hear_reaction",
    "import_due",
    "import_timeline",
    "measure_due",
    "read_followers",
]
