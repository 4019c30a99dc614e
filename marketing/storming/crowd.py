"""Teams, their accounts on the sandbox, and posts that were approved by somebody else."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.access import Actor, actor_for
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_workspace
from campaigns.deliveries import KIND, submit_post
from campaigns.library import add_upload
from campaigns.models import Delivery
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post
from compliance.models import Review
from compliance.services import approve_review
from lib.clock import now
from social.models import Bot, Connection, Credential, Network

Status = Connection.Status
TEAMS = 5
POSTS_PER_ACCOUNT = 20
# Telegram allows 20 messages a minute to a group, so a chat is given fewer.
POSTS_PER_CHAT = 8
CHATS_PER_BOT = 20
THREADS = 0.15
PICTURES = 0.1


@dataclass
class Crowd:
    sandbox: str
    seed: int = 1
    networks: Sequence[str] = ("x",)
    teams: int = 0
    heals: int = 0
    texts: dict[UUID, list[str]] = field(default_factory=dict)

    def prepare(self, deliveries: int, rng: random.Random) -> None:
        """Spread over the networks, the teams and the accounts; due within half a minute."""
        shares = {name: len(range(number, deliveries, len(self.networks))) for number, name in enumerate(self.networks)}
        accounts = {name: -(-share // PER_ACCOUNT[name]) for name, share in shares.items()}
        teams = [self.team() for _ in range(min(TEAMS, max(1, sum(accounts.values()))))]
        for network, share in shares.items():
            made = [self.connect(teams[n % len(teams)], network, n) for n in range(accounts[network])]
            for number in range(share):
                index = number % len(made)
                at = now() + timedelta(seconds=rng.uniform(0, min(30, max(8, deliveries / 10))))
                self.write(made[index], teams[index % len(teams)], number, at, rng)

    def prepare_calm(self, deliveries: int) -> None:
        """For measuring: one part each, all due at once, many accounts on X."""
        team = self.team()
        # A second round says something else: X forbids repeats.
        word = "Calm" if self.teams == 1 else f"Calm {self.teams}"
        handles = [f"calm{self.teams}_{number}" for number in range(max(1, deliveries // 4))]
        connections = [self.connect_x(team[0], handle) for handle in handles]
        with workspace_scope(team[0].workspace.pk):
            for number in range(deliveries):
                part = PartDraft(f"{word} post {number}")
                self.plan(connections[number % len(connections)], *team, [part], now())

    def write(
        self, connection: Connection, team: tuple[Actor, Actor], number: int, at: datetime, rng: random.Random
    ) -> None:
        parts = rng.randint(2, 4) if rng.random() < THREADS else 1
        texts = [f"{connection.network} {number} part {part} {_words(rng)}" for part in range(parts)]
        has_picture = rng.random() < PICTURES
        with workspace_scope(connection.workspace_id):
            media = (MediaDraft(_picture(team[0]), "A square"),) if has_picture else ()
            drafts = [PartDraft(text, media if n == 0 else ()) for n, text in enumerate(texts)]
            self.plan(connection, *team, drafts, at)

    # --- people and accounts ---

    def team(self) -> tuple[Actor, Actor]:
        """An author, and a reviewer who is somebody else."""
        self.teams += 1
        author = User.objects.create_user(f"author{self.teams}@storm.test")
        reviewer = User.objects.create_user(f"reviewer{self.teams}@storm.test")
        workspace = create_workspace(f"Storm {self.teams}", owner=author)
        Workspace.objects.filter(pk=workspace.pk).update(four_eyes=True, late_minutes=600)
        Membership.objects.create(user=reviewer, workspace=workspace, role=Role.REVIEWER)
        members = Membership.objects.select_related("workspace", "user").filter(workspace=workspace)
        return actor_for(members.get(user=author)), actor_for(members.get(user=reviewer))

    def connect(self, team: tuple[Actor, Actor], network: str, number: int) -> Connection:
        if network == Network.X:
            return self.connect_x(team[0], f"storm_{number}")
        return self.connect_chat(team[0], number)

    def connect_x(self, by: Actor, handle: str) -> Connection:
        account = self.admin("POST", "accounts", {"handle": handle})
        with workspace_scope(by.workspace.pk):
            connection = Connection.objects.create(
                workspace=by.workspace,
                network=Network.X,
                remote_id=account["id"],
                handle=handle,
                name=handle,
                app_key="x:storm",
                scopes=["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"],
            )
            Credential.objects.create(workspace=by.workspace, connection=connection, access_token="none")  # noqa: S106
            self._give_tokens(connection)
        return connection

    def connect_chat(self, by: Actor, number: int) -> Connection:
        """Channels and supergroups in turn, some twenty to a bot of the team's own."""
        bot = self._bot(by, number // (CHATS_PER_BOT * TEAMS))
        kind = ("channel", "supergroup")[number % 2]
        bots = {bot.username: "administrator"}
        chat = self.admin("POST", "telegram/chats", {"type": kind, "title": f"Storm {number}", "bots": bots})
        with workspace_scope(by.workspace.pk):
            connection = Connection.objects.create(
                workspace=by.workspace,
                network=Network.TELEGRAM,
                remote_id=str(chat["id"]),
                kind=kind,
                name=chat["title"],
                app_key=f"bot:{bot.bot_id}",
            )
            token = Credential.Kind.BOT
            Credential.objects.create(workspace=by.workspace, connection=connection, kind=token, bot=bot)
        return connection

    def _bot(self, by: Actor, number: int) -> Bot:
        username = f"storm{number}_{str(by.workspace.pk)[-8:]}_bot"
        with workspace_scope(by.workspace.pk):
            if known := Bot.objects.filter(username=username).first():
                return known
            made = self.admin("POST", "telegram/bots", {"username": username})
            return Bot.objects.create(
                workspace=by.workspace, bot_id=made["id"], username=username, name=username, token=made["token"]
            )

    def _give_tokens(self, connection: Connection) -> None:
        """What connecting again would do."""
        pair = self.admin("POST", "tokens", {"handle": connection.handle})
        credential = Credential.objects.select_for_update(no_key=True).get(connection=connection)
        credential.access_token, credential.refresh_token = pair["access_token"], pair["refresh_token"]
        credential.expires_at = now() + timedelta(hours=2)
        credential.version += 1
        credential.save()
        Connection.objects.filter(pk=connection.pk).update(status=Status.ACTIVE, status_text="")

    def heal(self) -> None:
        """A person connects again what lost its log-in, and resumes what was paused for money."""
        with all_workspaces_scope("connect again"):
            for connection in Connection.objects.filter(status__in=[Status.RECONNECT, Status.PAUSED]):
                if connection.network == Network.X and connection.status == Status.RECONNECT:
                    self._give_tokens(connection)
                else:
                    Connection.objects.filter(pk=connection.pk).update(status=Status.ACTIVE, status_text="")
                self.heals += 1

    # --- posts ---

    def plan(
        self, connection: Connection, author: Actor, reviewer: Actor, parts: Sequence[PartDraft], at: datetime
    ) -> Delivery:
        """Written by one, approved by the other. Expects the workspace's scope."""
        post = create_post(PostDraft(parts=tuple(parts), connections=(connection.pk,)), by=author)
        (delivery,) = submit_post(post, by=author)
        Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=at)
        review = Review.objects.get(kind=KIND, object_id=delivery.pk)
        approve_review(review, by=reviewer, seen_hash=review.action_hash)
        self.texts[delivery.pk] = [part.text for part in parts]
        return delivery

    def posted(self) -> list[str]:
        """Every text that is really there, as often as it is there."""
        texts = [post["text"] for post in self.admin("GET", "posts")["posts"]]
        if Network.TELEGRAM in self.networks:
            messages = self.admin("GET", "telegram/messages")["messages"]
            texts += [message["text"] for message in messages if message["text"] and not message["service"]]
        return texts

    def admin(self, method: str, door: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = requests.request(method, f"{self.sandbox}/_sandbox/{door}", json=body, timeout=60)
        response.raise_for_status()
        return dict(response.json())


PER_ACCOUNT: dict[str, int] = {Network.X: POSTS_PER_ACCOUNT, Network.TELEGRAM: POSTS_PER_CHAT}


def _words(rng: random.Random) -> str:
    """No two texts may be alike: X's rule against repeats holds in a storm, too."""
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=60)).strip()


@lru_cache(TEAMS)
def _picture(by: Actor) -> UUID:
    file = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return add_upload(SimpleUploadedFile("square.png", file.getvalue(), "image/png"), by=by).pk
