"""Puts short texts together from a brief: posts, replies, headlines, summaries."""

import random
import re
from collections.abc import Iterable

from sandbox.llm import phrases, words
from sandbox.llm.brief import Brief
from sandbox.llm.reading import read_text

_TRIES = 12
# What a prompt offers to be said where nothing better is known.
_PLAIN_REPLY = re.compile(r"^plain reply:\s*(.+)$", re.MULTILINE | re.IGNORECASE)


def compose_post(brief: Brief, rng: random.Random) -> str:
    """A post in the language, within the limit, with the link and the tags, without the banned words."""
    texts = (_fitted(_post_parts(brief, rng), _fixed(brief), brief) for _ in range(_TRIES))
    return _clean(texts, brief)


def _post_parts(brief: Brief, rng: random.Random) -> list[str]:
    language, subject = brief.language, subject_in(brief, brief.language)
    opener = rng.choice(phrases.OPENERS[language]).format(s=subject)
    return [
        opener[:1].upper() + opener[1:],
        detail_in(brief, language) or rng.choice(phrases.MIDDLES[language]),
        *rng.sample(facts_in(brief, language), k=min(1, len(facts_in(brief, language)))),
        rng.choice(phrases.CLOSERS[language]),
    ]


def subject_in(brief: Brief, language: str) -> str:
    subject = brief.subject
    if not subject:
        return phrases.NAMELESS[language]
    if words.is_chinese(subject) == (language == "zh"):
        return subject[0].lower() + subject[1:] if subject.split()[0].lower() in ("our", "the", "a", "an") else subject
    said = words.in_language(words.key_words(subject), language)
    return ("" if language == "zh" else " ").join(said) or phrases.NAMELESS[language]


def detail_in(brief: Brief, language: str) -> str:
    text = " ".join(brief.details)
    if not text:
        return ""
    if language == "en" and not words.is_chinese(text):
        plain = re.sub(r"^(with|that|which|by)\s+", "", text, flags=re.IGNORECASE)
        return plain[:1].upper() + plain[1:] + "."
    if language == "zh" and words.is_chinese(text):
        return "，".join(brief.details) + "。"
    return _key_facts(text, language)


def _key_facts(text: str, language: str) -> str:
    """What can be carried over without a translator: a discount and an end."""
    off = re.search(r"(\d+)\s*%\s*off", text, re.IGNORECASE)
    until = re.search(r"until (\w+)", text, re.IGNORECASE)
    if language == "zh":
        said = [f"优惠{off[1]}%"] if off else []
        said += [f"{words.GLOSSARY.get(until[1].lower(), until[1])}截止"] if until else []
        return "，".join(said) + "。" if said else ""
    found = re.findall(r"\d+(?:\.\d+)?%?", text)
    return f"{', '.join(found)}." if found else ""


def facts_in(brief: Brief, language: str) -> list[str]:
    return [_sentence(fact, language) for fact in brief.facts if words.is_chinese(fact) == (language == "zh")]


def _sentence(text: str, language: str) -> str:
    text = re.sub(r"\s*[\[(](?:source|id|来源)[^\])]*[\])]", "", text, flags=re.IGNORECASE).strip()
    return text if re.search(r"[.!?。！？]$", text) else text + ("。" if language == "zh" else ".")


def _fixed(brief: Brief) -> list[str]:
    return [*brief.links[:1], *brief.hashtags[:3]]


def _fitted(parts: list[str], fixed: list[str], brief: Brief) -> str:
    """Sentences are left out from the end, before the link and the tags are."""
    gap = "" if brief.language == "zh" else " "
    for kept in range(len(parts), 0, -1):
        text = " ".join([gap.join(parts[:kept]), *fixed])
        if brief.limit is None or words.width(text) <= brief.limit:
            return text
    return shorten(" ".join([parts[0], *fixed]), brief.limit or 280)


def shorten(text: str, limit: int) -> str:
    """At a word where there is one, with an ellipsis."""
    if words.width(text) <= limit:
        return text
    while text and words.width(text) > limit - 2:
        text = text.rsplit(" ", 1)[0] if " " in text and len(text.rsplit(" ", 1)[0]) > limit // 3 else text[:-1]
    return text.rstrip(" ,;，、") + "…"


def _clean(texts: Iterable[str], brief: Brief) -> str:
    last = ""
    for last in texts:
        if not has_banned(last, brief.banned):
            return last
    return without_banned(last, brief.banned)


def has_banned(text: str, banned: list[str]) -> bool:
    return any(word.lower() in text.lower() for word in banned)


def without_banned(text: str, banned: list[str]) -> str:
    for word in sorted(banned, key=len, reverse=True):
        text = re.sub(re.escape(word), "", text, flags=re.IGNORECASE)
    return re.sub(r"\s+([.,!?])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()


def compose_reply(message: str, brief: Brief, rng: random.Random, kind: str | None = None) -> str:
    language = brief.language
    kind = kind or read_text(message).kind
    stock = phrases.REPLIES.get(kind, phrases.REPLIES["other"])
    said = rng.choice(stock[language])
    fact = best_fact(message, brief) if kind in ("question", "request") else None
    given = _PLAIN_REPLY.search(brief.request)
    text = _sentence(fact, language) if fact else given[1].strip() if given else said
    return without_banned(shorten(text, brief.limit or 600), brief.banned)


def best_fact(message: str, brief: Brief) -> str | None:
    """The stated fact that shares most with the message."""
    asked = pairs(message)
    scored = [(len(asked & pairs(fact)), fact) for fact in facts_in(brief, brief.language)]
    score, fact = max(scored, default=(0, ""))
    return fact if score else None


def pairs(text: str) -> set[str]:
    """Words of Latin script, pairs of Chinese characters."""
    plain = {word.lower() for word in words.key_words(text, 40)}
    runs = re.findall(r"[\u3400-\u9fff]{2,}", text)
    return plain | {run[place : place + 2] for run in runs for place in range(len(run) - 1)}


def key_messages(brief: Brief, rng: random.Random) -> list[str]:
    language = brief.language
    said = [subject_in(brief, language), detail_in(brief, language), *facts_in(brief, language)]
    texts = [_sentence(text[:1].upper() + text[1:], language) for text in said if text]
    texts += rng.sample(phrases.MIDDLES[language], k=2)
    return [text for text in dict.fromkeys(texts) if not has_banned(text, brief.banned)]


def headline(brief: Brief, rng: random.Random) -> str:
    subject = subject_in(brief, brief.language)
    texts = [subject[:1].upper() + subject[1:], phrases.NAMELESS[brief.language]]
    return without_banned(shorten(next(t for t in [*texts, ""] if not has_banned(t, brief.banned)), 80), brief.banned)


def summarise(text: str, limit: int = 400) -> str:
    """Its first sentences and the one with most of its key words."""
    plain = re.sub(r"<[^>]+>", " ", text)
    said = words.sentences(plain)
    if not said:
        return shorten(plain.strip(), limit)
    about = set(words.key_words(plain, 12))
    densest = max(said, key=lambda sentence: sum(word in sentence for word in about))
    return shorten(" ".join(dict.fromkeys([said[0], densest, said[-1]])), limit)


def hashtags(brief: Brief, count: int = 3) -> list[str]:
    about = words.key_words(f"{brief.subject} {' '.join(brief.details)}")
    named = words.in_language([word for word in about if not word[0].isdigit()], brief.language)
    made = [f"#{re.sub(r'[^0-9A-Za-z_㐀-鿿À-ÿ]', '', word)}" for word in named]
    return [tag for tag in dict.fromkeys([*brief.hashtags, *made]) if len(tag) > 2][:count]
