"""Rules over the media of a draft: each medium is asked on its own, with the facts of the context beside its own."""

from collections.abc import Mapping
from typing import Any

from compliance.guard.engines.facts import compiled, facts_of
from compliance.guard.port import Answer, Context, Draft, Media
from compliance.guard.rules import RuleSet


class MediaEngine:
    name = "media"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        facts = facts_of(context)
        asked = [one for one in compiled(rules, self.name) if one.rule.applies(context)]
        media = [(number, medium) for number, part in enumerate(draft.media) for medium in part]
        seen = {
            (one.rule.id, number): one.rule.hit(number)
            for number, medium in media
            for one in asked
            if one.holds({**facts, **media_facts(medium)})
        }
        return Answer(tuple(seen.values()))


def media_facts(medium: Media) -> Mapping[str, Any]:
    """Those that are not known are left out: 0 stands for unknown in `Media`."""
    known: dict[str, Any] = {"media_kind": medium.kind, "has_alt_text": bool(medium.alt_text.strip())}
    if medium.width and medium.height:
        known |= {"width": medium.width, "height": medium.height, "ratio": medium.width / medium.height}
    if medium.size_bytes:
        known["megabytes"] = medium.size_bytes / 1_000_000
    if medium.duration_ms:
        known["seconds"] = medium.duration_ms / 1000
    return known
