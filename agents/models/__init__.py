from agents.models.calls import AISettings, Circuit, ModelCall, ProviderKey
from agents.models.evaluation import Dataset, DatasetItem, Replay, Score
from agents.models.memory import (
    BrandClaim,
    Chunk,
    Consolidation,
    Document,
    MemoryBlock,
    MemoryBlockVersion,
    MemoryItem,
    SearchScope,
    SearchTerm,
    Tombstone,
)
from agents.models.periodic import PeriodicTask, PeriodicTurn
from agents.models.prompts import Assistant, PromptLabel, PromptTemplate, PromptVersion
from agents.models.runs import Effect, Interrupt, Message, Provenance, Run, Step, Thread

__all__ = [
    "AISettings",
    "Assistant",
    "BrandClaim",
    "Chunk",
    "Circuit",
    "Consolidation",
    "Dataset",
    "DatasetItem",
    "Document",
    "Effect",
    "Interrupt",
    "MemoryBlock",
    "MemoryBlockVersion",
    "MemoryItem",
    "Message",
    "ModelCall",
    "PeriodicTask",
    "PeriodicTurn",
    "PromptLabel",
    "PromptTemplate",
    "PromptVersion",
    "Provenance",
    "ProviderKey",
    "Replay",
    "Run",
    "Score",
    "SearchScope",
    "SearchTerm",
    "Step",
    "Thread",
    "Tombstone",
]
