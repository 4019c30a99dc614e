"""A workspace to try everything in. Nothing in it is connected: that is the newcomer's first step."""

import json
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.text import slugify

from accounts.access import Actor, actor_for
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_workspace
from agents.memory.blocks import write_block
from agents.memory.claims import ClaimDraft, save_claim
from campaigns.demo_content import (
    BRAND,
    BRIEF,
    CLAIMS,
    DRAFTS,
    FOLDER,
    FOLDER_FILES,
    GOAL,
    INDUSTRY,
    MARKETS,
    NAME,
    NOTICES,
    PEOPLE,
    PURPOSE,
    SNIPPETS,
    WORDS,
    Draft,
    FolderFile,
    Person,
    Picture,
)
from campaigns.demo_pictures import draw_picture
from campaigns.library import store_path
from campaigns.models import Campaign, MediaAsset, Post
from campaigns.services import (
    MediaDraft,
    PartDraft,
    PostDraft,
    create_campaign,
    create_post,
    set_campaign_status,
)
from campaigns.snippets import create_snippet
from campaigns.sources import create_source, sources_root, update_source
from compliance.consent import give_consent, withdraw_consent
from compliance.consent_links import choices_token, person_of
from compliance.contacts import create_contact
from compliance.guard_settings import update_guard_settings
from compliance.models import Notice
from compliance.notices import publish_notice
from compliance.terms import TermDraft, add_term
from lib.clock import now
from lib.media import probe

ZONE = "Europe/Berlin"
CAMPAIGN_DAYS = 42
# What higher apps add to the demo's campaign, inside the workspace's scope.
EXTRAS: list[Callable[[Actor, Campaign], None]] = []


def load_demo(email: str, password: str) -> bool:
    """False when it is there already. One transaction: a kill in the middle leaves nothing half made."""
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            return False
        owner = add_person(email, password, "Dana Demo")
        workspace = create_workspace("Demo Roastery", owner=owner, time_zone=ZONE)
        by = actor_for(Membership.objects.select_related("user", "workspace").get(user=owner))
        with workspace_scope(workspace.pk):
            update_guard_settings(by=by, markets=MARKETS, industry=INDUSTRY)
            for word in WORDS:
                add_term(TermDraft(word.term, word.kind, word.reason, word.replacement), by=by)
            _add_people(by)
            _add_brand(by)
            campaign = _add_campaign(by)
            for draft in DRAFTS:
                _add_post(draft, campaign, by)
            for add in EXTRAS:
                add(by, campaign)
            for kind, name, text in SNIPPETS:
                create_snippet(by=by, kind=kind, name=name, text=text)
            _fill_folder(sources_root(workspace) / FOLDER)
            source = create_source(by=by, name="Spring pictures", folder=FOLDER, campaign=campaign)
            # Posts of a scan go where the source says, so the first one waits until an account is connected.
            update_source(source, by=by, is_active=False)
    return True


def add_person(email: str, password: str, name: str) -> User:
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def add_reviewer(email: str, password: str, workspace: Workspace) -> None:
    if not User.objects.filter(email=email).exists():
        user = add_person(email, password, "Rika Reviewer")
        Membership.objects.create(user=user, workspace=workspace, role=Role.REVIEWER)


def add_staff(email: str, password: str) -> None:
    if not User.objects.filter(email=email).exists():
        user = add_person(email, password, "Sam Staff")
        User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)


def _add_people(by: Actor) -> None:
    notices = {
        language: publish_notice(by=by, purpose=PURPOSE, language=language, text=text)
        for language, text in NOTICES.items()
    }
    for person in PEOPLE:
        _add_contact(person, notices[person.language], by)


def _add_brand(by: Actor) -> None:
    for label, text in BRAND.items():
        write_block(label, text, by=by)
    for claim in CLAIMS:
        save_claim(ClaimDraft(claim.text, claim.source, claim.language), by=by)


def _add_contact(person: Person, notice: Notice, by: Actor) -> None:
    contact = create_contact(
        by=by, name=person.name, email=person.email, language=person.language, country=person.country
    )
    give_consent(contact, PURPOSE, "email", by=by, method="form", notice=notice)
    if person.has_withdrawn:
        with person_of(choices_token(contact)) as themselves:
            withdraw_consent(contact, PURPOSE, "email", by=themselves.actor, method="link")


def _add_campaign(by: Actor) -> Campaign:
    today = now().astimezone(ZoneInfo(ZONE)).date()
    campaign = create_campaign(
        by=by,
        name=NAME,
        goal=GOAL,
        brief=BRIEF,
        starts_on=today,
        ends_on=today + timedelta(days=CAMPAIGN_DAYS),
    )
    return set_campaign_status(campaign, Campaign.Status.RUNNING, by=by)


def _add_post(draft: Draft, campaign: Campaign, by: Actor) -> Post:
    first, *rest = draft.parts
    picture = draft.picture
    media = (MediaDraft(_add_asset(picture, by.workspace).pk, picture.alt),) if picture else ()
    parts = (PartDraft(first, media), *map(PartDraft, rest))
    return create_post(PostDraft(parts, draft.title, campaign, draft.made_with_ai), by=by)


def _add_asset(picture: Picture, workspace: Workspace) -> MediaAsset:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{slugify(picture.word)}.jpg"
        path.write_bytes(draw_picture(picture))
        return store_path(path, path.name, probe(path), workspace=workspace)


def _fill_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in FOLDER_FILES:
        (folder / f"{file.stem}.jpg").write_bytes(draw_picture(file.picture))
        if file.meta is not None:
            (folder / f"{file.stem}.json").write_text(_metadata(file), encoding="utf-8")


def _metadata(file: FolderFile) -> str:
    meta = {**(file.meta or {}), "alt_text": file.picture.alt}
    if file.days_ahead is not None:
        day = now().astimezone(ZoneInfo(ZONE)).date() + timedelta(days=file.days_ahead)
        meta |= {"scheduled_at": datetime.combine(day, time(9)).isoformat(), "timezone": ZONE}
    return json.dumps(meta, ensure_ascii=False, indent=2) + "\n"
