"""Who and what is there from the start: enough to connect a bot and publish."""

from sandbox.telegram import acts, invites, people, topics
from sandbox.world import World

DEMO_TOKEN = "100000:sandbox-demo-bot-token"  # noqa: S105 - opens nothing but the sandbox
DEMO_BOT = "demo_rostrum_bot"
HOST = "127.0.0.1:8100"


def furnish(world: World) -> None:
    db = world.store.db
    if people.bot_by_token(db, DEMO_TOKEN) is not None:
        return
    bot_id = people.create_bot(db, DEMO_BOT, "Demo Rostrum Bot", DEMO_TOKEN)
    dana = people.create_user(db, "Dana Demo", "dana_demo")
    for kind, title, username in (
        ("channel", "Demo Channel", "demo_channel"),
        ("forum", "Demo Forum", None),
        ("group", "Demo Group", None),
    ):
        chat_id = people.create_chat(db, kind, title, invites.new_link(HOST), username, 120, world.clock.now())
        acts.set_status(world, chat_id, dana, "creator")
        acts.set_status(world, chat_id, bot_id, "administrator", by=dana)
        if kind == "forum":
            topics.create(db, acts.place_for(db, chat_id), dana, "Announcements", world.clock.now())
    # The bot was let in long ago: nothing of it is news.
    db.execute("DELETE FROM tg_updates")
