"""The same look at an agent's text as at a person's: the network's limits, the rules, and what nothing proves."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from accounts.models import Workspace
from campaigns.draft_text import avoided_words, is_in_language, links_in, mentions_in, unproven_numbers
from campaigns.forms_post import PartField, PostForm
from campaigns.guard_findings import NO_ACCOUNT, Finding, find_in_form
from campaigns.guarding import gather_known
from campaigns.models import Campaign
from campaigns.rendering import Rendered, RenderedPart, check_rendered, render_part
from compliance.guard import Verdict
from compliance.guard.port import ANY, Severity
from social.models import Connection, Network
from social.networks.rules import RULES, clean_text

Data = dict[str, Any]
# Where no account says how long a text may be.
PLAIN_LIMIT = 1_000
# Nobody reads a short text on a page of its own; longer ones are written by people.
LONGEST_WANTED = 900


@dataclass(frozen=True)
class Place:
    """Where a text is meant to go: an account, a network, or neither."""

    connection: Connection | None = None
    network: str = ANY

    @property
    def limit(self) -> int:
        """What an agent is asked for."""
        return min(self.full_limit, LONGEST_WANTED)

    @property
    def full_limit(self) -> int:
        if self.connection:
            return RULES[self.connection.network].limit(self.connection, False)
        if self.network in RULES:
            return RULES[self.network].limit(Connection(network=self.network), False)
        return PLAIN_LIMIT

    def length(self, text: str) -> int:
        network = self.connection.network if self.connection else self.network
        return RULES[network].length(text) if network in RULES else len(text)

    @property
    def name(self) -> str:
        network = self.connection.network if self.connection else self.network
        return Network(network).label if network in Network.values else "any network"


@dataclass(frozen=True)
class Material:
    """What a text may rest on and must keep away from."""

    brief: str = ""
    # Proven facts and passages of the workspace's own knowledge, with where each comes from.
    sources: Sequence[Data] = ()
    avoid: Sequence[str] = ()

    @property
    def proof(self) -> str:
        return "\n".join([self.brief, *(str(source["text"]) for source in self.sources)])


@dataclass(frozen=True)
class Checked:
    """`findings` as they are stored: {"verdict", "problems": what the network refuses, "found": [of `Finding`]}."""

    findings: Data
    notes: list[Data] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return str(self.findings["verdict"])


def judge_text(
    workspace: Workspace, text: str, place: Place, *, language: str, campaign: Campaign | None = None
) -> Data:
    """Nothing is written. Inside the workspace's scope."""
    form = PostForm(parts=[PartField(text)], language=language, made_with_ai=True)
    connection = place.connection
    if connection:
        form.connection_ids = [connection.pk]
        rendered = Rendered(
            connection.pk, connection.network, connection.remote_id, (render_part(connection, text),), True
        )
    else:
        rendered = Rendered(NO_ACCOUNT, place.network, "", (RenderedPart(clean_text(text), ()),), True)
    known = gather_known(workspace, [rendered])
    found = find_in_form(form, [(rendered, connection)], {}, campaign=campaign, saved=None, known=known)
    return {
        "verdict": found.verdict.value,
        "problems": check_rendered(rendered, connection, {}) if connection else [],
        "found": [_stored(one) for part in found.parts.values() for one in part],
    }


def check_text(
    workspace: Workspace,
    text: str,
    place: Place,
    *,
    language: str,
    material: Material,
    campaign: Campaign | None = None,
) -> Checked:
    """The rules, and what no rule of the guard knows: the brand's own words, its proofs, the language asked for."""
    findings = judge_text(workspace, text, place, language=language, campaign=campaign)
    return Checked(findings, list(_notes(text, language, material)))


def _notes(text: str, language: str, material: Material) -> Iterable[Data]:
    if not is_in_language(text, language):
        yield note("language", f"This does not look like {LANGUAGES.get(language, language)}.", must_change=True)
    for word in avoided_words(text, material.avoid):
        yield note("brand", f"“{word}” is on the brand's list of words to avoid.", quote=word, must_change=True)
    given = {*links_in(material.proof), *mentions_in(material.proof)}
    for name in (*links_in(text), *mentions_in(text)):
        if name not in given:
            yield note("link", f"Nobody gave “{name}”: take it out.", quote=name, must_change=True)
    for number in unproven_numbers(text, material.proof):
        yield note("claim", f"“{number}” stands in no claim, no source and not in the brief.", quote=number)


def note(kind: str, text: str, *, quote: str = "", must_change: bool = False) -> Data:
    return {"kind": kind, "text": text, "quote": quote, "must_change": must_change}


def model_notes(kind: str, answer: Any, text: str) -> list[Data]:
    """What a checking agent said. Remarks about words that the text does not hold are dropped."""
    rows = answer.get("findings", []) if isinstance(answer, Mapping) else []
    said = [(str(row.get("quote", "")).strip(), str(row.get("reason", "")).strip()) for row in rows]
    return [note(kind, reason[:300], quote=quote[:200]) for quote, reason in said if quote and reason and quote in text]


def must_change(checked: Checked) -> list[str]:
    """What has to be written anew, as sentences for the writer."""
    blocking = [one for one in read_findings(checked.findings) if one.severity == Severity.BLOCK]
    said = [" ".join(filter(None, (f"“{one.words}”:" if one.words else "", one.message, one.fix))) for one in blocking]
    return [*checked.findings["problems"], *said, *(one["text"] for one in checked.notes if one["must_change"])]


def read_findings(stored: Mapping[str, Any]) -> list[Finding]:
    known = Finding.__dataclass_fields__
    rows = [{name: value for name, value in row.items() if name in known} for row in stored.get("found", [])]
    return [Finding(**row | {name: tuple(row.get(name, ())) for name in ("accounts", "markets")}) for row in rows]


def is_blocked(stored: Mapping[str, Any]) -> bool:
    return stored.get("verdict") == Verdict.BLOCK or bool(stored.get("problems"))


def _stored(found: Finding) -> Data:
    data: Data = json.loads(json.dumps(asdict(found)))
    return data


LANGUAGES = {
    "en": "English",
    "zh": "Chinese",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
}
