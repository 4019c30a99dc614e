"""The engines of the guard, in the order they are asked."""

from compliance.guard.engines.claims import ClaimsEngine
from compliance.guard.engines.disclosure import DisclosureEngine
from compliance.guard.engines.facts import FactEngine
from compliance.guard.engines.links import LinksEngine
from compliance.guard.engines.media import MediaEngine
from compliance.guard.engines.phrases import PhrasesEngine
from compliance.guard.engines.pii import PiiEngine
from compliance.guard.port import Engine

ENGINES: tuple[Engine, ...] = (
    PhrasesEngine(),
    PiiEngine(),
    DisclosureEngine(),
    FactEngine("platform"),
    ClaimsEngine(),
    LinksEngine(),
    MediaEngine(),
    FactEngine("account"),
)
