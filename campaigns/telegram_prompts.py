"""Reviews in a private chat: what waits is put before each reviewer who has linked a Telegram account."""

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.storage import default_storage

from accounts.access import Actor, Perm, actor_for
from accounts.models import Membership, User
from accounts.scope import workspace_scope
from campaigns.costs import cost_of
from campaigns.deliveries.review import KIND
from campaigns.engine.media import outgoing_of
from campaigns.models import Delivery, MediaAsset, ReviewPrompt
from campaigns.previews import rendered_from
from campaigns.rendering import Rendered, RenderedPart
from compliance.models import Review
from compliance.services import SUBJECTS
from lib.clock import now
from lib.money import dollars
from social.models import TelegramLink
from social.networks.links import post_url
from social.networks.port import OutgoingPart
from social.networks.telegram import api
from social.networks.telegram.client import TelegramClient
from social.telegram import bots

# Larger files are looked at on the page: then there is no button to approve without having seen them.
MAX_BYTES = 10 * 1024 * 1024
# In characters, of which a message holds at least so many, whatever they are.
LONGEST_TEXT, LONGEST_CAPTION, LONGEST_BESIDE = 2000, 500, 1500
APPROVE, REJECT, WHY = "ok", "no", "why"
DATA = "rv"


@dataclass(frozen=True)
class Prompt:
    row: ReviewPrompt
    review: Review
    delivery: Delivery
    rendered: Rendered
    files: tuple[MediaAsset, ...]

    @property
    def fits(self) -> bool:
        """Everything that the approval covers can be shown in the chat."""
        is_short = len("\n".join(self.beside)) <= LONGEST_BESIDE
        return is_short and all(file.kind == "image" and file.size_bytes <= MAX_BYTES for file in self.files)

    @property
    def beside(self) -> list[str]:
        """What goes out with the post and that its messages in the chat do not show, as sentences."""
        rendered = self.rendered
        answers = f"It answers {post_url(self.delivery.connection, rendered.reply_to)}" if rendered.reply_to else ""
        marks = ["Labelled as made with AI."] if rendered.made_with_ai else []
        parts = [line for part in rendered.parts for line in part_lines(part)]
        return [*filter(None, [answers]), *parts, *option_lines(rendered.options), *marks]


def part_lines(part: RenderedPart) -> list[str]:
    poll = part.poll or {}
    asks = [f"Poll for {poll['minutes']} minutes: {' / '.join(poll['options'])}"] if poll else []
    texts = [f"Description of a file: {media.alt_text}" for media in part.media if media.alt_text]
    # A text that is shown in pieces loses its formatting, and with it where the words lead.
    links = [f"A link leads to {entity.url}" for entity in part.entities if entity.url]
    return [*asks, *texts, *links]


def option_lines(options: dict[str, Any]) -> list[str]:
    buttons = [button for row in options.get("buttons", ()) for button in row]
    lines = [f"Button “{button['text']}” leads to {button['url']}" for button in buttons]
    others = {name: value for name, value in options.items() if name != "buttons"}
    names = [name if value is True else f"{name}: {value}" for name, value in others.items()]
    return [*lines, *([f"Options: {', '.join(names).replace('_', ' ')}"] if names else [])]


def start_prompts(workspace_id: UUID, review_id: UUID) -> list[UUID]:
    """The questions to send: one to everybody who may decide and was not asked yet."""
    with workspace_scope(workspace_id):
        review = Review.objects.filter(pk=review_id, status=Review.Status.WAITING, kind=KIND).first()
        if review is None:
            return []
        rows = [_ask_once(review, link) for link in _reviewers(review)]
    return [row.pk for row in rows if row]


def send_piece(workspace_id: UUID, prompt_id: UUID, number: int) -> bool:
    """First the post as it will be sent, message by message, then the question. Whether there is more to send.

    Telegram wants a pause between two messages, so each is a task of its own. Call it outside a transaction.
    """
    with workspace_scope(workspace_id):
        row = ReviewPrompt.objects.filter(pk=prompt_id, sent_at=None).first()
        prompt = load_prompt(row) if row else None
    if prompt is None or prompt.review.status != Review.Status.WAITING:
        return False
    token, pieces = bots.token_for(prompt.row.bot_id), _pieces(prompt)
    if number < len(pieces):
        TelegramClient(token, prompt.row.chat_id).publish(pieces[number])
        return True
    sent = api.send_text(token, prompt.row.chat_id, question(prompt), buttons=_buttons(prompt))
    with workspace_scope(workspace_id):
        ReviewPrompt.objects.filter(pk=prompt_id).update(message_id=sent.id, sent_at=now())
    return False


def _reviewers(review: Review) -> list[TelegramLink]:
    """Under four eyes the authors are not asked."""
    authors = SUBJECTS[review.kind].authors(review.object_id) | {review.requested_by_id}
    members = Membership.objects.select_related("user", "workspace").filter(workspace=review.workspace_id)
    deciders = [row.user for row in members if _may_decide(actor_for(row), authors)]
    # Whoever holds a bot's token can read and rewrite what it says: another workspace's bot is told nothing.
    trusted = [bot.bot_id for bot in bots.usable_bots(review.workspace)]
    return list(TelegramLink.objects.select_related("user").filter(user__in=deciders, bot_id__in=trusted))


def _may_decide(actor: Actor, authors: set[UUID | None]) -> bool:
    is_own = actor.user is not None and actor.user.pk in authors
    return actor.can(Perm.REVIEW) and not (actor.workspace.four_eyes and is_own)


def _ask_once(review: Review, link: TelegramLink) -> ReviewPrompt | None:
    row, is_new = ReviewPrompt.objects.get_or_create(
        workspace_id=review.workspace_id,
        review_id=review.pk,
        user=link.user,
        defaults={
            "token": secrets.token_hex(16),
            "action_hash": review.action_hash,
            "bot_id": link.bot_id,
            "chat_id": link.telegram_user_id,
        },
    )
    return row if is_new else None


def _load(row: ReviewPrompt, review: Review) -> Prompt:
    delivery = Delivery.objects.select_related("post", "connection", "workspace").get(pk=review.object_id)
    rendered = rendered_from(review.snapshot)
    ids = [media.asset_id for part in rendered.parts for media in part.media]
    assets = MediaAsset.objects.in_bulk(ids)
    return Prompt(row, review, delivery, rendered, tuple(assets[pk] for pk in ids if pk in assets))


def _pieces(prompt: Prompt) -> list[OutgoingPart]:
    """The messages that show the post. X allows more text than one of Telegram's holds: then it comes in several."""
    if not prompt.fits:
        return []
    files, pieces = {file.pk: file for file in prompt.files}, []
    for part in prompt.rendered.parts:
        shown = (files[item.asset_id] for item in part.media if item.asset_id in files)
        media = tuple(outgoing_of(asset, partial(default_storage.open, asset.file)) for asset in shown)
        step = LONGEST_CAPTION if media else LONGEST_TEXT
        if len(part.text) <= step:
            pieces.append(OutgoingPart(part.text, part.entities, media=media))
            continue
        texts = [part.text[at : at + step] for at in range(0, len(part.text), step)]
        pieces += [OutgoingPart(text, media=() if number else media) for number, text in enumerate(texts)]
    return pieces


def question(prompt: Prompt) -> str:
    delivery, parts = prompt.delivery, len(prompt.rendered.parts)
    lines = [
        f"“{delivery.post}” for {delivery.connection} waits for your approval.",
        f"{delivery.workspace.name} · {_when(delivery, prompt.row.user)}",
    ]
    if parts > 1:
        lines.append(f"A thread of {parts} parts, above.")
    if prompt.fits:
        lines += prompt.beside
    else:
        lines.append("Not all of it can be shown here: open the page to decide.")
    return "\n".join(lines)


def explain(prompt: Prompt) -> str:
    """Why this was asked, and what an approval would cover."""
    review, rendered = prompt.review, prompt.rendered
    asked = review.requested_by.email if review.requested_by else "the publishing engine"
    cost = cost_of(rendered).total
    lines = [
        f"Asked by {asked} on {review.requested_at:%d %b, %H:%M} UTC.",
        "Nothing goes out before somebody approves exactly what will be sent.",
        f"Covered: {len(rendered.parts)} part(s), {len(prompt.files)} file(s), all options; "
        f"fingerprint {review.action_hash[:12]}.",
        "Any change afterwards needs a new approval.",
    ]
    if prompt.delivery.problem_text:
        lines.insert(1, prompt.delivery.problem_text)
    if prompt.delivery.workspace.four_eyes:
        lines.append("This workspace wants four eyes: the author cannot approve it.")
    if rendered.made_with_ai:
        lines.append("Made with AI, and labelled so.")
    if cost:
        lines.append(f"It will cost {dollars(cost)} on {prompt.delivery.connection.get_network_display()}.")
    return "\n".join(lines)


def _when(delivery: Delivery, user: User) -> str:
    if delivery.scheduled_at is None:
        return "no time yet"
    zone = ZoneInfo(user.time_zone or delivery.workspace.time_zone)
    local = delivery.scheduled_at.astimezone(zone)
    return f"planned for {local:%a %d %b, %H:%M} {zone.key.rpartition('/')[2].replace('_', ' ')}"


def _buttons(prompt: Prompt) -> list[list[dict[str, str]]]:
    token = prompt.row.token
    decide = [{"text": "Reject", "callback_data": f"{DATA}:{REJECT}:{token}"}]
    if prompt.fits:
        decide.insert(0, {"text": "Approve", "callback_data": f"{DATA}:{APPROVE}:{token}"})
    rows = [decide, [{"text": "Why?", "callback_data": f"{DATA}:{WHY}:{token}"}]]
    page = f"{settings.BASE_URL}/w/{prompt.delivery.workspace.slug}/reviews/{prompt.review.pk}"
    if page.startswith("https://"):
        rows[1].append({"text": "Open", "url": page})
    return rows


def load_prompt(row: ReviewPrompt) -> Prompt | None:
    """Inside the workspace's scope."""
    review = Review.objects.select_related("requested_by").filter(pk=row.review_id).first()
    return _load(row, review) if review else None
