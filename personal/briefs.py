"""Briefs: made once a turn, told on the channels that their person chose."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import plans
from accounts.access import Actor
from accounts.models import Notification
from lib.clock import now
from personal.access import person_of
from personal.gathering import day_text, gather_news, zone_of
from personal.models import Brief
from personal.preferences import get_preferences
from personal.strangers import without_links
from personal.watching import mark_told
from personal.wording import words

FIRST_LOOK = timedelta(days=1)


def make_brief(*, by: Actor, task_id: UUID, wanted_at: datetime, with_words: bool = False) -> Brief | None:
    """None where there is nothing new to tell. Inside the workspace's scope and a transaction; raises PlanLimit."""
    person, liked = person_of(by), get_preferences(by)
    last = Brief.objects.filter(workspace=by.workspace, user=person, task_id=task_id).first()
    moment = now()
    since = last.created_at if last else moment - FIRST_LOOK
    found = gather_news(by, moment, since, liked.language)
    if not found.sections or (last and last.data and last.data.get("sections") == found.sections):
        return None
    plans.count(by.workspace, "briefs")
    local = moment.astimezone(ZoneInfo(zone_of(by)))
    brief = Brief(
        workspace=by.workspace,
        user=person,
        task_id=task_id,
        wanted_at=wanted_at,
        title=words(liked.language)["title"].format(day=day_text(local, liked.language)),
        language=liked.language,
        data={"sections": found.sections, "zone": zone_of(by)},
    )
    brief.save(force_insert=True)
    mark_told(found.told)
    if with_words:
        from personal.writing import ask_for_words

        ask_for_words(brief, by=by)
    if brief.run_id is None:
        hand_over(brief, liked.channels)
    return brief


def hand_over(brief: Brief, channels: tuple[str, ...]) -> None:
    """Into the list here at once, with the brief itself; by mail and Telegram once it is committed."""
    if "in_app" in channels:
        Notification.objects.create(
            workspace_id=brief.workspace_id,
            user_id=brief.user_id,
            kind="brief.ready",
            text=brief.title[:300],
            path=f"/you/briefs/{brief.pk}",
        )
    if not {"mail", "telegram"} & set(channels):
        Brief.objects.filter(pk=brief.pk, sent_at=None).update(sent_at=now())
        return
    from personal import tasks

    transaction.on_commit(partial(tasks.send_brief.delay, str(brief.workspace_id), str(brief.pk)))


def is_waiting(brief: Brief, data: dict[str, Any]) -> bool:
    """The assistant has not answered yet."""
    return brief.run_id is not None and brief.archived_at is None and not data.get("sections")


def mark_read(brief: Brief) -> None:
    if brief.read_at is None:
        Brief.objects.filter(pk=brief.pk, read_at=None).update(read_at=now())


def as_text(data: dict[str, Any]) -> str:
    """For mails and chats: a heading a section, a dash a line.

    Without addresses: programs for mail make them links, and models and alerts may repeat a stranger's.
    """
    blocks = []
    if data.get("words"):
        blocks.append(str(data["words"]))
    for section in data.get("sections", []):
        blocks.append("\n".join([section["title"], *(f"- {without_links(line['text'])}" for line in section["lines"])]))
    return "\n\n".join(blocks)
