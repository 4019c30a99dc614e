"""What assistants leave behind, as rows: no model is asked for the sake of a page."""

from datetime import timedelta

from accounts.access import Actor
from agents.evaluation.datasets import add_run, create_dataset
from agents.keys import add_key
from agents.memory import remember
from agents.memory.claims import ClaimDraft, save_claim
from agents.memory.documents import add_text
from agents.models import Interrupt, Message, Run, Step
from agents.prompts.assistants import create_assistant
from agents.prompts.versions import PromptDraft
from agents.threads import create_thread
from campaigns.inbox.collect import Heard, record, set_reading
from campaigns.models import Conversation
from campaigns.snippets import create_snippet
from lib.clock import now
from social.models import Connection


def agent_pages(connection: Connection, by: Actor) -> list[str]:
    """Addresses of one of each: expects the workspace's scope."""
    key = add_key("anthropic", "Ours", "sk-ant-of-this-test", by=by)
    claim = save_claim(ClaimDraft("Roasted by hand.", "A film", "en"), by=by)
    item = remember("The shop is closed on Mondays.", by=by, kind="rule")
    document = add_text("Beans", "They come from Yirgacheffe.", by=by)
    prompt = create_assistant(by=by, name="Shop writer", draft=PromptDraft("Write for the shop."))
    assert key.is_active
    return [
        *talk_pages(by),
        *inbox_pages(connection, by),
        f"/brand/claims/{claim.pk}",
        "/brand/texts/voice",
        f"/memory/items/{item.pk}",
        f"/knowledge/{document.pk}",
        f"/assistants/{prompt.pk}",
        f"/assistants/{prompt.pk}/edit",
        f"/assistants/{prompt.pk}/versions/1/try",
    ]


def talk_pages(by: Actor) -> list[str]:
    """A conversation that was answered, and one in which the assistant asks."""
    answered, asking = create_thread(by=by, title="Decaf"), create_thread(by=by, title="Opening hours")
    workspace, text = by.workspace, "Do we have decaf?"
    done, waiting = (
        Run.objects.create(
            workspace=workspace, workflow="chat", user=by.user, thread=thread, trace_id=f"{n}" * 32, status=status
        )
        for n, (thread, status) in enumerate(((answered, "succeeded"), (asking, "waiting")))
    )
    Run.objects.filter(pk=done.pk).update(input={"message": text}, output={"cost_micro": 96}, ended_at=now())
    done.refresh_from_db()
    Step.objects.create(
        workspace=workspace, run=done, n=1, key="answer 1", kind="model", output={"text": "Yes."}, started_at=now()
    )
    source = {"n": 1, "title": "Beans", "url": "https://roastery.example"}
    for seq, role, words, sources in ((1, "user", text, []), (2, "assistant", "Yes, from Huila [1].", [source])):
        Message.objects.create(
            workspace=workspace, thread=answered, seq=seq, role=role, text=words, run=done, citations=sources
        )
    Interrupt.objects.create(
        workspace=workspace,
        run=waiting,
        key="ask",
        action="remember",
        args={"text": "We open at nine."},
        args_sha256="0" * 64,
        perm="content.edit",
        expires_at=now() + timedelta(days=1),
    )
    dataset = create_dataset("Good answers", by=by)
    add_run(dataset, done, by=by)
    pages = [f"/assistant/{thread.pk}" for thread in (answered, asking)]
    return [*pages, f"/runs/{done.pk}", f"/runs/{waiting.pk}", f"/datasets/{dataset.pk}"]


def inbox_pages(connection: Connection, by: Actor) -> list[str]:
    set_reading(connection, True, by=by)
    create_snippet(by=by, kind="reply", name="Thanks", text="Thank you!")
    heard = Heard("mention", "c1", "1001", "7", "dana", "Dana", "@roastery is it open?", now(), is_summons=True)
    record(connection, heard)
    return [f"/inbox/{Conversation.objects.get().pk}"]
