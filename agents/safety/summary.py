"""What a page is about, in our own words: its subjects, days and times. None of its sentences is passed on."""

import re

from agents.safety.normalise import Heard
from agents.safety.planner import Plan

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_DATE = re.compile(
    rf"\b\d{{1,2}} (?:{_MONTHS})\b|\b(?:{_MONTHS}) \d{{1,2}}\b|"
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b(?:{_DAYS})s?\b|\d{{1,2}}月\d{{1,2}}日"
)
_TIME = re.compile(
    r"\b\d{1,2}(?::\d{2})? ?(?:am|pm)\b|\b\d{1,2}:\d{2}\b|\b\d{1,2} ?[-–] ?\d{1,2}\b"
    r"|[上下]午[一二三四五六七八九十两\d]{1,3}点"
)
MOST = 4


def summarise(heard: Heard, plan: Plan) -> str:
    text = heard.folded
    parts = {
        "Subjects": [topic.value.replace("_", " ") for topic in plan.topics],
        "Days": list(dict.fromkeys(_DATE.findall(text)))[:MOST],
        "Times": list(dict.fromkeys(_TIME.findall(text)))[:MOST],
    }
    said = [f"{name}: {', '.join(found)}." for name, found in parts.items() if found]
    return " ".join(["A web page.", *said, f"{len(text.split()) or 1} words."])
