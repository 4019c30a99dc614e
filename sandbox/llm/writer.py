"""The plain writer."""

import random

from sandbox.llm.filling import fill
from sandbox.llm.prompt import Answer, Prompt, json_text, text_answer


def answer(prompt: Prompt, rng: random.Random) -> Answer:
    if prompt.schema is not None:
        return text_answer(json_text(fill(prompt.schema, prompt)))
    return text_answer(f"Here is a thought on {prompt.last_user[:80]}")
