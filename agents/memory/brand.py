"""Who the brand is, as every prompt gets it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from agents.memory.blocks import BRAND_BLOCKS, OWN_BLOCKS, block_texts
from agents.memory.claims import claims_in_force

# As many claims as a prompt bears; the newest are left out first.
MAX_CLAIMS = 40


@dataclass(frozen=True)
class Claim:
    id: str
    text: str
    source: str
    language: str
    valid_until: date | None


@dataclass(frozen=True)
class Brand:
    """The blocks as written, "" where nobody wrote one. From `preferences` on they are the asking person's own."""

    name: str
    voice: str = ""
    audience: str = ""
    products: str = ""
    words_use: str = ""
    words_avoid: str = ""
    languages: str = ""
    preferences: str = ""
    personality: str = ""
    profile: str = ""
    claims: tuple[Claim, ...] = ()

    @property
    def avoided_words(self) -> tuple[str, ...]:
        return tuple(_split(self.words_avoid))

    def as_text(self) -> str:
        """For prompts: a heading a block, without the empty ones; never longer than the limits of the blocks allow."""
        parts = [f"# {self.name}"]
        for kind in (*BRAND_BLOCKS, *OWN_BLOCKS):
            text = getattr(self, kind.label)[: kind.limit]
            parts += [f"## {kind.title}\n{text}"] if text else []
        if self.claims:
            lines = [f"- [{claim.id}] {claim.text} (source: {claim.source})" for claim in self.claims]
            parts.append("## Claims that may be made\n" + "\n".join(lines))
        return "\n\n".join(parts)


def brand_of(workspace: Workspace, user: User | None = None) -> Brand:
    with workspace_scope(workspace.pk):
        texts = block_texts(workspace, user)
        rows = list(claims_in_force(workspace).order_by("created_at")[:MAX_CLAIMS])
    claims = [Claim(str(row.pk), row.text, row.source, row.language, row.valid_until) for row in rows]
    known = {kind.label: texts.get(kind.label, "") for kind in (*BRAND_BLOCKS, *OWN_BLOCKS)}
    return Brand(name=workspace.name, **known, claims=tuple(claims))


def _split(text: str) -> Iterable[str]:
    words = text.replace("\n", ",").replace("，", ",").replace("、", ",").replace(";", ",").split(",")
    return dict.fromkeys(word.strip() for word in words if word.strip())
