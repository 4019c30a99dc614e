"""Who comes: people with a browser and a language, and the bots that look at links first."""

import random
from dataclasses import dataclass

_PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_{minor} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.{minor} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel {model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{minor}.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; SM-S92{minor}B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{minor}.0.0.0 "
    "Mobile Safari/537.36",
)
_DESKS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{minor}.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.{minor} "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:14{minor}.0) Gecko/20100101 Firefox/14{minor}.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{minor}.0.0.0 "
    "Safari/537.36 Edg/14{minor}.0.0.0",
)
PHONE_SHARE = 0.7
_LANGUAGES = (
    "en-US,en;q=0.9",
    "en-GB,en;q=0.8",
    "zh-CN,zh;q=0.9,en;q=0.7",
    "de-DE,de;q=0.9,en;q=0.6",
    "es-ES,es;q=0.9",
)
_PREVIEWERS = {
    "x": {"Twitterbot": "Twitterbot/1.0"},
    "telegram": {"TelegramBot": "TelegramBot (like TwitterBot)"},
}
_ANYWHERE = {
    "facebookexternalhit": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Discordbot": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "WhatsApp": "WhatsApp/2.24.20 A",
    "Googlebot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
}
REFERERS = {"x": "https://t.co/", "telegram": "https://web.telegram.org/"}
DISGUISED = "disguised"
# Every third bot only asks for the head, every sixth pretends to be a browser.
HEAD_EVERY = 3
DISGUISED_EVERY = 6

_DRAWN = ("choice", "luck", "returns", "cookies", "joins", "repeats")


@dataclass(frozen=True)
class Person:
    name: str
    agent: str
    language: str
    address: str
    # Draws from 0 to 1 (_DRAWN), to be held against shares: the same person decides the same everywhere.
    choice: float
    luck: float
    returns: float
    cookies: float
    joins: float
    repeats: float
    # Standard normal.
    spends: float


@dataclass(frozen=True)
class Bot:
    kind: str
    agent: str
    address: str
    method: str
    choice: float


def person(key: str, number: int) -> Person:
    rng = random.Random(f"{key}:person:{number}")
    agents = _PHONES if rng.random() < PHONE_SHARE else _DESKS
    draws = {name: rng.random() for name in _DRAWN}
    name, agent, language = f"{key}-{number}", _filled(rng, rng.choice(agents)), rng.choice(_LANGUAGES)
    return Person(name, agent, language, _address(rng), spends=rng.gauss(0, 1), **draws)


def bot(key: str, number: int, network: str) -> Bot:
    rng = random.Random(f"{key}:bot:{number}")
    kinds = _PREVIEWERS.get(network, _PREVIEWERS["x"] | _PREVIEWERS["telegram"]) | _ANYWHERE
    # The network's own bot is always the first.
    kind = next(iter(kinds)) if number == 0 else rng.choice(list(kinds))
    agent = kinds[kind]
    if number % DISGUISED_EVERY == DISGUISED_EVERY - 1:
        kind, agent = DISGUISED, _filled(rng, rng.choice(_DESKS))
    method = "HEAD" if number % HEAD_EVERY == HEAD_EVERY - 1 else "GET"
    return Bot(kind, agent, _address(rng), method, rng.random())


def _filled(rng: random.Random, agent: str) -> str:
    return agent.replace("{minor}", str(rng.randrange(1, 9))).replace("{model}", str(rng.randrange(7, 11)))


def _address(rng: random.Random) -> str:
    """From the ranges that documentation may use, so that nobody is meant."""
    if rng.random() < 0.5:
        return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"
    return f"2001:db8:{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}"
