"""The plain writer: reads the task out of the prompt and does it with rules. The same prompt gives the same text."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

from sandbox.llm import composing, phrases, words
from sandbox.llm.brief import Brief, numbered_facts, outside_material, quoted_text, read_brief
from sandbox.llm.filling import Filler, asked_kind, is_reply
from sandbox.llm.numbers import sentences_for
from sandbox.llm.prompt import Answer, Prompt, Tool, call_answer, json_text, text_answer
from sandbox.llm.reading import read_text

_LOOKS_UP = re.compile(
    r"recall|search|look_?up|find|retriev|knowledge|get_|list_|read_|query|facts|check", re.IGNORECASE
)
_WRITES = re.compile(r"remember|save|store|note", re.IGNORECASE)
_TASKS = (
    ("summary", r"\bsummar(y|ise|ize)\w*|\bcompact\b|摘要|总结|概括"),
    ("keywords", r"\bkey ?words?\b|关键词"),
    (
        "post",
        r"\b(write|draft|create|make|prepare|suggest|give me|need)\b.{0,60}\b(posts?|tweets?|captions?|copy|texts?|"
        r"messages?|ads?|headlines?|drafts?|variants?)\b|^\W*(promote|announce|advertise|launch|introduce)\b"
        r"|文案|推文|帖子|宣传|推广|营销",
    ),
)
# What a system prompt says its reader is.
_ROLES = (
    ("summary", r"^\W*summari[sz]e\b|\byou (summari[sz]e|shorten|condense)\b|你负责(摘要|总结)"),
    (
        "post",
        r"\byou (write|draft|create) (social media |marketing )?(posts|texts|copy|other ways)|\bcopy ?writer\b|文案",
    ),
    ("keywords", r"\byou find the words\b|\bkeyword (tool|finder)\b"),
)


def answer(prompt: Prompt, rng: random.Random) -> Answer:
    call = _call(prompt, rng)
    if call is not None:
        return call
    if prompt.schema is not None:
        return text_answer(json_text(Filler(prompt, rng, sentences_for(prompt)).fill(prompt.schema)))
    return text_answer(write(prompt, rng))


def _call(prompt: Prompt, rng: random.Random) -> Answer | None:
    """A call where one must be made, or where looking something up comes before answering."""
    if not prompt.tools or prompt.tool_choice == "none":
        return None
    tool = prompt.tool(prompt.tool_choice) or _fitting_tool(prompt, must=prompt.tool_choice == "any")
    if tool is None:
        return None
    filler = Filler(prompt, rng, _text_to_check(prompt) if "check" in tool.name else None)
    return call_answer([(tool.name, filler.fill(tool.schema or {"type": "object"}))])


def _text_to_check(prompt: Prompt) -> Callable[[str], str | None]:
    """A check is of words that were said, in quotation marks where there are any."""
    said = outside_material(prompt.last_user)
    quoted = re.search(r"[\"“「](.{3,}?)[\"”」]", said)
    return lambda name: (quoted[1] if quoted else said) if name in ("text", "draft", "content") else None


def _fitting_tool(prompt: Prompt, *, must: bool) -> Tool | None:
    if prompt.results and must:
        return next(
            (tool for tool in prompt.tools if re.search(r"final|answer|submit|result", tool.name)), prompt.tools[-1]
        )
    if prompt.results:
        return None
    said = outside_material(prompt.last_user)
    wish = read_text(said)
    if "remember_request" in wish.kinds:
        kept = [tool for tool in prompt.tools if _WRITES.search(tool.name)]
        return kept[0] if kept else None
    if must or ("question" in wish.kinds and not _found(prompt)):
        looking = [tool for tool in prompt.tools if _LOOKS_UP.search(tool.name)]
        about = words.key_words(said, 10)
        described = [(sum(word.lower() in f"{t.name} {t.description}".lower() for word in about), t) for t in looking]
        best = max(described, key=lambda one: one[0], default=None)
        return best[1] if best else (prompt.tools[0] if must else None)
    return None


def write(prompt: Prompt, rng: random.Random) -> str:
    """Plain text for a prompt without a schema."""
    brief = read_brief(prompt)
    if prompt.results:
        return _from_results(prompt, brief)
    task = _task(prompt)
    if task == "summary":
        return composing.summarise(quoted_text(prompt), brief.limit or 400)
    if task == "keywords":
        return ", ".join(words.key_words(quoted_text(prompt), brief.count or 6))
    if is_reply(prompt):
        return composing.compose_reply(quoted_text(prompt), brief, rng, asked_kind(prompt))
    if task == "post":
        return _posts(brief, rng)
    return _chat(prompt, brief, rng)


def _task(prompt: Prompt) -> str | None:
    for text, tasks in ((prompt.last_user, _TASKS), (prompt.system, _ROLES)):
        found = next((task for task, pattern in tasks if re.search(pattern, text, re.IGNORECASE)), None)
        if found:
            return found
    return None


def _posts(brief: Brief, rng: random.Random) -> str:
    count = min(brief.count or 1, 10)
    if count == 1:
        return composing.compose_post(brief, rng)
    return "\n".join(f"{number}. {composing.compose_post(brief, rng)}" for number in range(1, count + 1))


def _from_results(prompt: Prompt, brief: Brief) -> str:
    """What the tools found, the nearest to the question first."""
    found = [line for result in prompt.results for line in _lines_of(result)]
    if not found:
        return phrases.NO_ANSWER[brief.language]
    asked = set(words.key_words(outside_material(prompt.last_user), 12))
    nearest = sorted(found, key=lambda line: -sum(word.lower() in line.lower() for word in asked))[:3]
    return composing.shorten(" ".join(nearest), brief.limit or 600)


def _lines_of(result: str) -> list[str]:
    """The sentences in a result, out of its JSON if that is what it is."""
    try:
        value = json.loads(result)
    except ValueError:
        return words.sentences(result)
    return [line for text in _texts_in(value) for line in words.sentences(text)]


def _texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if " " in value or words.is_chinese(value) else []
    if isinstance(value, dict):
        return [text for name, one in value.items() if not name.endswith("id") for text in _texts_in(one)]
    return [text for one in value for text in _texts_in(one)] if isinstance(value, list) else []


def _found(prompt: Prompt) -> str | None:
    """The numbered fact of the message that answers it, cited."""
    said = outside_material(prompt.last_user)
    asked = composing.pairs(said)
    facts = numbered_facts(prompt.last_user)
    scored = [(len(asked & composing.pairs(text)), -place) for place, (_, text) in enumerate(facts)]
    score, place = max(scored, default=(0, 0))
    if not score:
        return None
    number, text = facts[-place]
    return f"{text.strip()} [{number}]"


def _chat(prompt: Prompt, brief: Brief, rng: random.Random) -> str:
    found = _found(prompt) or composing.best_fact(prompt.last_user, brief)
    if found:
        return composing.shorten(found, brief.limit or 600)
    said = outside_material(prompt.last_user)
    kind = read_text(said).kind
    language = words.language_of(said)
    if kind in ("question", "request", "page"):
        return phrases.NO_ANSWER[language]
    return phrases.GREETINGS[language] if kind == "other" else composing.compose_reply(said, brief, rng, kind)
