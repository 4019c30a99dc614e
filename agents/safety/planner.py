"""What is done about a message: plain Python over closed values. It never sees a word of the text."""

from dataclasses import dataclass

from agents.safety.clues import Clues
from agents.safety.kinds import Intent, Risk, Route, Topic, Want
from agents.safety.reader import Reading

ROUTES = {
    Intent.PRAISE: Route.POSITIVE,
    Intent.COMPLAINT: Route.NEGATIVE,
    Intent.QUESTION: Route.ANSWER,
    Intent.REQUEST: Route.ANSWER,
    Intent.OPT_OUT: Route.OPT_OUT,
    Intent.DATA_REQUEST: Route.DSAR,
    Intent.BOT: Route.BOT,
    Intent.REMEMBER: Route.MEMORY,
    Intent.SPAM: Route.REVIEW,
    Intent.ATTACK: Route.REVIEW,
    Intent.OTHER: Route.NEUTRAL,
}
# Nobody answers these: a remark needs no reply, a page no writer, a refusal none either.
UNANSWERED = frozenset({Route.NEUTRAL, Route.SUMMARISE, Route.REVIEW})
PAGES = frozenset({"web_page"})
# A text without any word that decides is taken for a mood only where the model is as good as certain.
CLEAR_MOOD = 0.6

WHY: dict[Risk, str] = {
    Risk.OVERRIDE: "It tries to replace the assistant's instructions.",
    Risk.FORGED_ROLE: "It pretends to be part of the conversation with the model, or an official notice.",
    Risk.IMPERSONATION: "It claims an authority that a message cannot have.",
    Risk.SECRET: "It asks for internal instructions, keys or other customers' matters.",
    Risk.PERSONAL_DATA: "It asks for somebody else's personal data.",
    Risk.COMMAND: "It orders an action that only members may take.",
    Risk.ECHO: "It wants certain words put into the brand's mouth.",
    Risk.MEMORY_RULE: "It wants a rule remembered.",
    Risk.FETCH: "It wants an address opened.",
    Risk.LURE: "It wants a link or a picture passed on.",
    Risk.HOSTILE: "It is about groups of people, elections or accusations.",
    Risk.HIDDEN: "It hides words from people who read it.",
}
DOUBTED = "The reader took it for an attack; its words do not show one."


@dataclass(frozen=True)
class Plan:
    route: Route
    intent: Intent
    language: str
    topics: tuple[Topic, ...] = ()
    asks: tuple[Want, ...] = ()
    # Why a person has to look, as sentences.
    reasons: tuple[str, ...] = ()

    @property
    def is_answered(self) -> bool:
        return self.route not in UNANSWERED


def make_plan(reading: Reading | None, clues: Clues, *, channel: str, language: str) -> Plan:
    """`language` is what the text is written in, as far as its letters show it."""
    reasons = tuple(WHY[risk] for risk in sorted(clues.risks))
    if reasons:
        return Plan(Route.REVIEW, Intent.ATTACK, language, reasons=reasons)
    if channel in PAGES:
        return Plan(Route.SUMMARISE, Intent.OTHER, language, _topics(reading))
    if reading is None:
        return _without_reader(clues, language)
    intent = clues.intent if clues.intent and clues.is_sure else _weighed(reading, clues)
    is_doubted = bool(reading.risks) or reading.intent in {Intent.ATTACK, Intent.SPAM}
    return Plan(
        ROUTES[intent],
        intent,
        language,
        _topics(reading),
        reading.asks,
        (DOUBTED,) if is_doubted else (),
    )


def _weighed(reading: Reading, clues: Clues) -> Intent:
    """The model decides where the words do not; a remark with a clear mood is praise or complaint."""
    if reading.intent == Intent.OTHER:
        if clues.intent:
            return clues.intent
        mood = reading.sentiment + clues.sentiment
        return Intent.PRAISE if mood > CLEAR_MOOD else Intent.COMPLAINT if mood < -CLEAR_MOOD else Intent.OTHER
    return reading.intent


def _without_reader(clues: Clues, language: str) -> Plan:
    if clues.intent is None:
        return Plan(Route.REVIEW, Intent.OTHER, language, reasons=("No model could read it.",))
    return Plan(ROUTES[clues.intent], clues.intent, language, reasons=("No model could read it: check the reply.",))


def _topics(reading: Reading | None) -> tuple[Topic, ...]:
    return reading.topics if reading else ()
