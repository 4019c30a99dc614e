"""Where an agent's words in a post come from: kept when a person takes them over."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import QueryDict

from accounts.access import Actor
from agents.models import Run
from campaigns.draft_text import split_sentences
from campaigns.models import Origin, Post
from lib.clock import now
from lib.money import dollars

Data = dict[str, Any]
DRAFT = "draft"
# How long a draft may lie beside the composer before somebody uses it.
DRAFTS_KEPT = timedelta(days=14)
DRAFTS_COMPARED = 40
# A shorter sentence ("Hello!") proves nothing.
LEAST_SENTENCE = 12
PICK = re.compile(r"(?P<run>[0-9a-f-]{36}):(?P<n>\d{1,2}):(?P<sentences>\d{1,3}(?:,\d{1,3})*)")
# What a line and a run's draft hold of an Origin.
KEPT = (
    "run_id",
    "step_key",
    "model",
    "is_sandbox",
    "assistant",
    "prompt_version",
    "prompt_sha256",
    "sources",
    "cost_micro",
)


@dataclass(frozen=True)
class Pick:
    """Sentences of one draft that a person put into the text, by their numbers."""

    run_id: UUID
    n: int
    sentences: frozenset[int]


def read_picks(data: QueryDict) -> list[Pick]:
    """As the composer sends them: `drafted=<run>:<draft>:<sentence>,<sentence>`."""
    found = [PICK.fullmatch(value) for value in data.getlist("drafted")[:100]]
    picks = []
    for match in filter(None, found):
        try:
            run_id = UUID(match["run"])
        except ValueError:
            continue
        picks.append(Pick(run_id, int(match["n"]), frozenset(map(int, match["sentences"].split(",")))))
    return picks


def offered(text: str, kept: str | None = None) -> list[Data]:
    """The sentences of a text, each with whether it stands in `kept` (all of them without one)."""
    sentences = [piece.strip() for piece in split_sentences(text)]
    return [{"text": one, "is_accepted": kept is None or one in kept} for one in sentences if one]


def keep_origin(post: Post, origin: Mapping[str, Any], sentences: list[Data], *, by: Actor) -> Origin:
    facts = {name: origin[name] for name in KEPT if name in origin}
    return Origin.objects.create(
        workspace=post.workspace,
        post=post,
        sentences=sentences,
        accepted_by=by.user,
        accepted_label=by.label[:120],
        **facts,
    )


def used_drafts(text: str, picks: Iterable[Pick], *, by: Actor) -> list[tuple[Data, list[Data]]]:
    """The drafts of this person that stand in a text, each with its sentences marked.

    What they say they put in counts, and so does every sentence that is there word for word: a page that was
    loaded anew forgets the first, never the second.
    """
    said: dict[tuple[UUID, int], set[int]] = {}
    for pick in picks:
        said.setdefault((pick.run_id, pick.n), set()).update(pick.sentences)
    candidates = [
        (draft["origin"], _marked(draft, text, said.get((run.pk, draft["n"]), set())), (run.pk, draft["n"]) in said)
        for run in _recent_drafts(by)
        for draft in (run.output or {}).get("drafts", [])
    ]
    # Drafts of one wish share sentences: the one that most of the text is from counts for these.
    candidates.sort(key=lambda one: (one[2], _count(one[1])), reverse=True)
    found, claimed = [], set[str]()
    for origin, sentences, is_picked in candidates:
        taken = {one["text"] for one in sentences if one["is_accepted"]}
        if taken and (is_picked or taken - claimed):
            found.append((origin, sentences))
            claimed |= taken
    return found


def _count(sentences: list[Data]) -> int:
    return sum(one["is_accepted"] for one in sentences)


def _recent_drafts(by: Actor) -> list[Run]:
    if by.user is None:
        return []
    runs = Run.objects.filter(workspace=by.workspace, workflow=DRAFT, user=by.user, status=Run.Status.SUCCEEDED)
    return list(runs.filter(created_at__gt=now() - DRAFTS_KEPT).order_by("-created_at")[:DRAFTS_COMPARED])


def _marked(draft: Data, text: str, picked: set[int]) -> list[Data]:
    return [
        {
            "text": sentence,
            "is_accepted": number in picked or (len(sentence) >= LEAST_SENTENCE and sentence in text),
        }
        for number, sentence in enumerate(draft["sentences"])
    ]


def keep_drafts(post: Post, drafts: Iterable[tuple[Data, list[Data]]], *, by: Actor) -> None:
    """Once for each draft, however often the post is saved."""
    for origin, sentences in drafts:
        rows = Origin.objects.filter(post=post, run_id=origin["run_id"], step_key=origin["step_key"])
        if row := rows.first():
            if row.sentences != sentences:
                rows.filter(pk=row.pk).update(sentences=_merged(row.sentences, sentences))
        else:
            keep_origin(post, origin, sentences, by=by)


def _merged(before: list[Data], after: list[Data]) -> list[Data]:
    """What was taken over once stays so, whatever became of it."""
    taken = {one["text"] for one in before if one["is_accepted"]}
    return [one | {"is_accepted": one["is_accepted"] or one["text"] in taken} for one in after]


# --- shown ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    row: Origin

    @property
    def cost(self) -> str:
        return dollars(self.row.cost_micro)

    @property
    def accepted(self) -> int:
        return _count(self.row.sentences)

    @property
    def prompt(self) -> str:
        if self.row.prompt_version is None:
            return self.row.assistant
        version = f"version {self.row.prompt_version}" if self.row.prompt_version else "as shipped"
        return f"{self.row.assistant}, {version}"


def origins_of(post: Post) -> list[Shown]:
    return [Shown(row) for row in Origin.objects.filter(post=post).select_related("accepted_by")]


def origin_data(row: Origin) -> Data:
    """For the API."""
    return {name: getattr(row, name) for name in (*KEPT, "sentences", "accepted_at")} | {
        "accepted_by": row.accepted_label
    }
