"""What an assistant knows: `brand_of`, `recall`, `remember`. The acts behind them are in the modules of this folder."""

from agents.memory.brand import Brand, Claim, brand_of
from agents.memory.items import NotRemembered, remember
from agents.memory.recall import Found, recall

__all__ = ["Brand", "Claim", "Found", "NotRemembered", "brand_of", "recall", "remember"]
