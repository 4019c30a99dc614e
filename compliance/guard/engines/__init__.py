"""The engines of the guard, in the order they are asked."""

from compliance.guard.engines.facts import FactEngine
from compliance.guard.engines.pii import PiiEngine
from compliance.guard.port import Engine

ENGINES: tuple[Engine, ...] = (PiiEngine(), FactEngine("platform"), FactEngine("account"))
