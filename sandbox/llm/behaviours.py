"""Who answers: the model's own behaviour, the one the admin door forces, or a step of the script."""

import random
import sqlite3
from collections.abc import Callable

from sandbox.llm import catalogue, chaos, obedient, scripted, settings, writer
from sandbox.llm.prompt import Answer, Prompt
from sandbox.router import Call

Behaviour = Callable[[Prompt, random.Random], Answer]

BEHAVIOURS: dict[str, Behaviour] = {
    "sandbox-writer": writer.answer,
    "sandbox-obedient": obedient.answer,
    "sandbox-chaos": chaos.answer,
}
NAMES = (*BEHAVIOURS, scripted.NAME)


def choose(db: sqlite3.Connection, prompt: Prompt) -> str:
    model = catalogue.find(prompt.provider, prompt.model)
    assert model is not None
    forced = settings.read(db)["behaviour"]
    return str(forced) if forced and not (model.is_own and model.behaviour != "sandbox-writer") else model.behaviour


def answer(call: Call, prompt: Prompt, behaviour: str) -> Answer:
    """Raises Rejected when the scripted model has nothing to say."""
    step = scripted.take(call.db, call.caller.key, prompt, call.caller.record_id)
    if step is not None:
        return scripted.perform(step)
    if behaviour == scripted.NAME:
        raise scripted.nothing_left(prompt)
    seed = settings.read(call.db)["seed"]
    # Chaos answers the same prompt in another way each time, as a retry would meet it.
    turn = call.caller.record_id if behaviour == "sandbox-chaos" else 0
    return BEHAVIOURS[behaviour](prompt, random.Random(f"{seed}:{prompt.sha}:{turn}"))
