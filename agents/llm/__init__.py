"""Calls to models: `complete`, `stream` and `embed`, the same for every provider.

Loaded when first used: `agents.llm.types` is read by much that never calls a model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.llm.calls import complete, stream
    from agents.llm.embeddings import embed

__all__ = ["complete", "embed", "stream"]


def __getattr__(name: str) -> Any:
    if name in ("complete", "stream"):
        from agents.llm import calls

        return getattr(calls, name)
    if name == "embed":
        from agents.llm import embeddings

        return embeddings.embed
    raise AttributeError(name)
