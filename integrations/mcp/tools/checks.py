"""What the networks and the rules say to a post, in short and in full. Nothing is written."""

from collections.abc import Iterator
from dataclasses import dataclass

from campaigns.guarding import Judged, explain_hits, gather_known, judge_delivery
from campaigns.models import Delivery, Post
from campaigns.queries import with_content
from campaigns.rendering import Rendered, check_delivery, render
from campaigns.replies import check_reply
from compliance.guard import Draft, Hit
from compliance.guard.port import Severity
from integrations.mcp.tools.answers import account_data
from integrations.mcp.tools.schemas import JSON


@dataclass(frozen=True)
class Check:
    row: Delivery
    rendered: Rendered
    judged: Judged

    @property
    def problems(self) -> list[str]:
        """What the network would refuse."""
        return [*check_delivery(self.row, self.rendered), *check_reply(self.row)]


def checks_of(post: Post) -> Iterator[Check]:
    """For each account; a fixed number of queries."""
    rows = list(with_content(Delivery.objects.filter(post=post)).order_by("created_at", "pk"))
    rendered = [render(row) for row in rows]
    known = gather_known(post.workspace, rendered)
    for row, one in zip(rows, rendered, strict=True):
        yield Check(row, one, judge_delivery(row, one, known))


def check_post(post: Post) -> list[JSON]:
    return [
        {
            "account": str(check.row.connection),
            "verdict": check.judged.decision.verdict.value,
            "problems": check.problems,
            "findings": explain_hits(_asking(check.judged.decision.hits)),
        }
        for check in checks_of(post)
    ]


def _asking(hits: tuple[Hit, ...]) -> list[Hit]:
    return [hit for hit in hits if hit.severity != Severity.NOTE]


def explain_post(post: Post) -> list[JSON]:
    return [
        {
            "connection": account_data(check.row.connection),
            "verdict": check.judged.decision.verdict.value,
            "problems": check.problems,
            "findings": [hit_data(hit, [part.text for part in check.rendered.parts]) for hit in _hits(check)],
        }
        for check in checks_of(post)
    ]


def _hits(check: Check) -> tuple[Hit, ...]:
    return check.judged.decision.hits


def explain_text(draft: Draft, hits: tuple[Hit, ...]) -> list[JSON]:
    return [hit_data(hit, list(draft.texts)) for hit in hits]


def hit_data(hit: Hit, texts: list[str]) -> JSON:
    """`start` and `end` count code points of the part as it would be sent; `words` stand there now."""
    data = hit.as_data()
    words = texts[hit.part][hit.start : hit.end] if hit.part < len(texts) else ""
    return data | {"part": hit.part + 1, "words": words}
