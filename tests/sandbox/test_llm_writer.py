"""The plain writer: on the subject, in the language, within the rules of the prompt."""

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.llm import brief, composing, words, writer
from sandbox.llm.prompt import Prompt, Tool
from tests.sandbox.llm_cast import CHAT, MESSAGES, Models, prompt

BRIEF = (
    "Promote our spring roast with 20% off until Friday for coffee lovers in Berlin https://roastery.example/s #spring"
)
CHINESE = "推广我们的新款防晒霜，周五前下单送小样，适合敏感肌"
SEARCH = Tool("recall", "Search the brand's knowledge", {"type": "object", "properties": {"query": {"type": "string"}}})
KEEP = Tool("remember", "Keep a fact", {"type": "object", "properties": {"fact": {"type": "string"}}})


def write(asked: Prompt) -> str:
    return writer.answer(asked, random.Random(asked.sha)).text


def filled(asked: Prompt) -> Any:
    return json.loads(write(asked))


def schema(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


@pytest.mark.parametrize(
    ("ask", "language"),
    [
        (BRIEF, "en"),
        (CHINESE, "zh"),
        (f"{BRIEF}\nLanguage: zh", "zh"),
        (f"{BRIEF}\nlanguage: zh-Hans", "zh"),
        (f"{CHINESE}\nLanguage: en", "en"),
        (f"{BRIEF}. Write in Chinese.", "zh"),
        (f"{CHINESE}，用英文写", "en"),
    ],
)
def test_post_is_in_the_language_asked_for(ask: str, language: str) -> None:
    text = write(prompt(ask, "You write posts for social networks."))
    assert words.language_of(re.sub(r"https?://\S+|#\w+", "", text)) == language


def test_language_of_the_system_prompt_holds_too() -> None:
    text = write(prompt(BRIEF, "You write posts for social networks. Write in this language: zh."))
    assert words.is_chinese(text.split("http")[0])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (BRIEF, ["spring roast", "20% off", "https://roastery.example/s", "#spring"]),
        (CHINESE, ["防晒霜", "敏感肌"]),
        (f"{BRIEF}\nLanguage: zh", ["春季", "20%", "周五", "https://roastery.example/s", "#spring"]),
        ("Topic: our yoga workshop on Saturday", ["yoga workshop"]),
        ("Write a tweet about the opening of our bakery", ["opening of our bakery"]),
        ("主题：周末面包工作坊", ["周末面包工作坊"]),
    ],
)
def test_post_keeps_to_its_subject(ask: str, said: list[str]) -> None:
    text = write(prompt(ask, "You write posts for social networks."))
    assert [one for one in said if one.lower() not in text.lower()] == []


@pytest.mark.parametrize("limit", [60, 100, 140, 280])
@pytest.mark.parametrize("ask", [BRIEF, CHINESE])
def test_post_stays_within_the_length(ask: str, limit: int) -> None:
    text = write(prompt(f"{ask}\nAt most {limit} characters.", "You write posts for social networks."))
    assert 0 < words.width(text) <= max(limit, words.width("https://roastery.example/s #spring") + 12)


@pytest.mark.parametrize(
    "rule",
    [
        "Words to avoid: {}",
        "Never use the words {}",
        "Banned words: {}.",
        "禁用词：{}",
        "Words to avoid:\n- {}",
    ],
)
def test_banned_words_are_never_used(rule: str) -> None:
    everyday = ["our", "ready", "look", "friday", "friends", "small", "good", "meet", "came", "you"]
    for word in everyday:
        asked = prompt(BRIEF.replace("our ", "the "), f"You write posts. {rule.format(word)}")
        text = write(asked)
        assert word not in re.sub(r"https?://\S+", "", text).lower(), (word, text)


def test_banned_words_are_found_in_lists() -> None:
    text = "Words to avoid: cheap, “best”; free of charge (gratis)\n不要使用：最好、第一"
    assert brief.banned_words(text) == ["cheap", "best", "free of charge", "gratis", "最好", "第一"]


def test_so_many_variants_are_written_as_were_asked_for() -> None:
    text = write(prompt("Write three variants of a tweet about our summer sale on bikes"))
    lines = text.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3."]
    assert len({line[3:] for line in lines}) == 3


def test_same_prompt_has_the_same_answer_and_another_prompt_another() -> None:
    asks = [f"Promote our tea number {number}" for number in range(8)]
    texts = [write(prompt(ask, "You write posts.")) for ask in asks]
    assert texts == [write(prompt(ask, "You write posts.")) for ask in asks]
    assert len(set(texts)) == 8


PLAN = schema(
    strategy={"type": "string"},
    audience={"type": "string"},
    lines={
        "type": "array",
        "minItems": 2,
        "maxItems": 8,
        "items": schema(
            network={"enum": ["x", "telegram"]},
            language={"enum": ["en", "zh"]},
            text={"type": "string", "maxLength": 600},
            hour={"type": "integer", "minimum": 0, "maximum": 23},
            hashtags={"type": "array", "items": {"type": "string"}},
        ),
    },
)


def test_plan_covers_every_network_in_every_language() -> None:
    ask = f"{BRIEF}\nNetworks: X, Telegram. Languages: English and Chinese."
    plan = filled(prompt(ask, "You plan marketing campaigns.", schema=PLAN))
    pairs = {(line["network"], line["language"]) for line in plan["lines"]}
    assert pairs == {("x", "en"), ("telegram", "en"), ("x", "zh"), ("telegram", "zh")}
    for line in plan["lines"]:
        assert words.language_of(line["text"].split("http")[0]) == line["language"]
        assert "https://roastery.example/s" in line["text"]
        assert line["network"] != "x" or words.width(line["text"]) <= 280
        assert "#spring" in line["hashtags"]
    assert len({line["text"] for line in plan["lines"]}) == len(plan["lines"])


@pytest.mark.parametrize(
    ("field", "kind", "said"),
    [
        ("title", {"type": "string"}, "Our spring roast"),
        ("url", {"type": "string"}, "https://roastery.example/s"),
        ("campaign", {"type": "string"}, "Spring roast"),
        ("language", {"type": "string"}, "en"),
        ("is_on_brand", {"type": "boolean"}, True),
        ("has_violation", {"type": "boolean"}, False),
        ("issues", {"type": "array", "items": {"type": "string"}}, []),
        ("confidence", {"type": "number", "minimum": 0, "maximum": 1}, 0.8),
        ("priority", {"enum": ["high"]}, "high"),
    ],
)
def test_fields_are_filled_by_their_names(field: str, kind: dict[str, Any], said: Any) -> None:
    assert filled(prompt(BRIEF, schema=schema(**{field: kind})))[field] == said


def test_moments_follow_the_day_of_the_prompt() -> None:
    moments = {"type": "array", "minItems": 2, "items": schema(at={"type": "string", "format": "date-time"})}
    made = filled(prompt(f"{BRIEF}\nToday is 2026-11-21.", schema=schema(lines=moments)))["lines"]
    assert [line["at"][:10] for line in made[:2]] == ["2026-11-22", "2026-11-23"]


def test_cited_sources_are_those_of_the_prompt() -> None:
    fields = schema(sources={"type": "array", "items": {"type": "string"}})
    asked = prompt("When do you open?\n[k1] We open at 9.\n[k2] We close at 18.", schema=fields)
    assert filled(asked)["sources"] == ["k1", "k2"]


KNOWLEDGE = """You are the product expert.
- Parcels take two days.
- On Sunday we open from 10 to 14.
- 周日营业时间为10点到14点。"""


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ("When are you open on Sunday?", "On Sunday we open from 10 to 14."),
        ("How long do parcels take?", "Parcels take two days."),
        ("周日几点营业？", "周日营业时间为10点到14点。"),
    ],
)
def test_question_is_answered_from_what_is_stated(ask: str, said: str) -> None:
    assert write(prompt(ask, KNOWLEDGE)) == said


def test_unknown_is_said_to_be_unknown() -> None:
    assert "nothing about this" in write(prompt("Who won the match?", "You are the assistant."))
    assert "没有找到" in write(prompt("谁赢了比赛？", "你是助手"))


def test_question_is_looked_up_first_and_answered_from_what_was_found() -> None:
    asked = prompt("When do you open on Sunday?", tools=(KEEP, SEARCH))
    (call,) = writer.answer(asked, random.Random(1)).calls
    assert (call.name, json.loads(call.arguments)) == ("recall", {"query": "open Sunday"})
    told = prompt("When do you open on Sunday?", tools=(SEARCH,), results=("We bake daily. On Sunday we open at 10.",))
    assert write(told).startswith("On Sunday we open at 10.")


def test_wish_to_remember_is_kept() -> None:
    (call,) = writer.answer(prompt("Remember that I take size M", tools=(SEARCH, KEEP)), random.Random(1)).calls
    assert call.name == "remember"
    assert "size M" in call.arguments


@pytest.mark.parametrize("choice", ["any", "recall"])
def test_tool_is_called_where_it_must(choice: str) -> None:
    asked = prompt("Hello", tools=(SEARCH,), tool_choice=choice)
    assert [call.name for call in writer.answer(asked, random.Random(1)).calls] == ["recall"]


def test_tool_is_not_called_where_it_must_not() -> None:
    asked = prompt("When do you open?", tools=(SEARCH,), tool_choice="none")
    assert writer.answer(asked, random.Random(1)).calls == []


REPLIES = [
    ("I love this cream", "en", "hank"),
    ("太喜欢了", "zh", "谢"),
    ("My parcel is broken and late", "en", "orry"),
    ("快递太慢了，还没到", "zh", "抱歉"),
    ("Are you a bot?", "en", "AI"),
    ("你们是机器人还是真人？", "zh", "AI"),
    ("Please stop messaging me", "en", "not write to you again"),
    ("How can I export my own data?", "en", "data protection"),
]


@pytest.mark.parametrize(("message", "language", "said"), REPLIES)
def test_reply_suits_the_message(message: str, language: str, said: str) -> None:
    text = write(prompt(message, "You draft a reply that a person will look at."))
    assert said in text
    assert words.language_of(text) == language


def test_reply_suits_the_intent_a_reader_has_found() -> None:
    text = write(prompt("intent: complaint\nlanguage: zh", "You write replies to comments."))
    assert "抱歉" in text


def test_summary_is_made_of_its_sentences() -> None:
    text = "We met on Monday. The roast sells well. Everybody likes the roast and its price. Next week we decide."
    summary = write(prompt(f"Summarise this conversation:\n<text>\n{text}\n</text>"))
    assert summary.startswith("We met on Monday.")
    assert "Next week we decide." in summary
    assert len(summary) < len(text)


def test_key_words_are_those_of_the_text() -> None:
    text = write(prompt("Find 3 keywords: organic spring coffee from Ethiopia, organic coffee beans"))
    assert text.split(", ")[:2] == ["organic", "coffee"]


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("Classify:\n<message id='x'>\nHello you\n</message>", "Hello you"),
        ("Classify:\n```\nHello you\n```", "Hello you"),
        ('Text: """Hello you"""', "Hello you"),
        ("=====8f3\nHello you\n=====8f3", "Hello you"),
        ("Hello^you^and^me", "Hello you and me"),
        ("Hello you", "Hello you"),
    ],
)
def test_material_is_found_between_its_marks(text: str, inner: str) -> None:
    assert brief.material_in(text) == inner


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.integers(20, 300))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert words.width(composing.shorten(text, limit)) <= limit


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=60))
def test_any_prompt_gets_an_answer(user: str, system: str) -> None:
    assert isinstance(write(prompt(user, system)), str)
    assert set(filled(prompt(user, system, schema=PLAN))) == {"strategy", "audience", "lines"}


def test_hashtags_are_words_without_signs() -> None:
    tags = composing.hashtags(brief.read_brief(prompt("Promote our e-bike's 20% sale, naïve & 新品!")), 9)
    assert all(re.fullmatch(r"#[\w㐀-鿿]+", tag) for tag in tags)
    assert not any(tag[1].isdigit() for tag in tags)


@pytest.mark.parametrize("wire", [CHAT, MESSAGES], ids=str)
def test_writer_answers_for_every_real_model(models: Models, wire: Any) -> None:
    model = "gpt-6-luna" if wire is CHAT else "claude-opus-5-5"
    text = wire.text_of(models.ask(wire, BRIEF, model=model).json())
    assert "spring roast" in text
    assert models.calls()[-1]["behaviour"] == "sandbox-writer"


MARKED = "Fill in the form for the text between the marks.\n\n=== 9f1c\n{}\n=== 9f1c"
TOPICS = ["price", "delivery", "returns", "booking", "usage", "opening_hours", "location", "safety", "offers", "other"]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Where is my parcel?", "delivery"),
        ("How much is the serum?", "price"),
        ("可以退货吗", "returns"),
        ("你们周日几点营业？", "opening_hours"),
        ("Is it safe during pregnancy?", "safety"),
        ("说明书看不懂，怎么用？", "usage"),
        ("门店在哪", "location"),
    ],
)
def test_topics_of_a_message_are_ticked(text: str, topic: str) -> None:
    form = schema(topics={"type": "array", "items": {"enum": TOPICS}, "maxItems": 3})
    assert topic in filled(prompt(MARKED.format(text), "You sort what strangers wrote.", schema=form))["topics"]


ORDER = f"""Write: a post for X
Network: X
Language: {{}}
Length: at most 280 characters
Link: https://roastery.example/s
Hashtags: #spring
Words to avoid: cheap, best
About: {BRIEF}
Knowledge:
- [1] Our beans are roasted in Berlin."""


@pytest.mark.parametrize("language", ["English (en)", "Chinese (zh)"])
def test_order_of_many_lines_is_understood(language: str) -> None:
    asked = prompt(ORDER.format(language), "You write posts.", schema=schema(text={"type": "string"}))
    text = filled(asked)["text"]
    assert words.language_of(text.split("http")[0]) == language[-3:-1]
    assert "https://roastery.example/s" in text
    assert "#spring" in text
    assert "[1]" not in text
    assert words.width(text) <= 280


def test_checks_that_find_nothing_say_nothing() -> None:
    finding = schema(quote={"type": "string"}, reason={"type": "string"})
    form = schema(findings={"type": "array", "items": finding})
    assert filled(prompt(f"Draft: Meet our roast.\nBrief: {BRIEF}", "You check drafts.", schema=form)) == {
        "findings": []
    }


def test_variants_differ_in_text_and_angle() -> None:
    variant = schema(text={"type": "string"}, angle={"type": "string"})
    form = schema(variants={"type": "array", "items": variant})
    asked = prompt(f"Write: 2 variants of this draft\nDraft: Meet our roast.\nBrief: {BRIEF}", schema=form)
    first, second = filled(asked)["variants"]
    assert first["text"] != second["text"]
    assert first["angle"] != second["angle"]


def test_strategy_names_the_campaign_and_its_messages() -> None:
    form = schema(name={"type": "string"}, key_messages={"type": "array", "items": {"type": "string"}})
    plan = filled(prompt(f"Brief: {BRIEF}", "You plan campaigns.", schema=form))
    assert plan["name"] == "Spring roast"
    assert plan["key_messages"][:2] == ["Our spring roast.", "20% off until Friday for coffee lovers in Berlin."]


FOUND = """{}

<found>
[1] Hours: On Sunday we open from 10 to 14.
[2] 快递: 快递两天送达。
</found>
Cite what you use by its number in square brackets."""


@pytest.mark.parametrize(("ask", "number"), [("When do you open on Sunday?", "[1]"), ("快递几天送达？", "[2]")])
def test_found_material_is_cited(ask: str, number: str) -> None:
    asked = prompt(FOUND.format(ask), "You are the marketing assistant of a team.", tools=(SEARCH,))
    assert write(asked).endswith(number)


def test_result_of_a_tool_is_read_out_of_its_json() -> None:
    result = json.dumps(
        {"found": [{"id": "k 1", "text": "On Sunday we open at 10."}, {"id": "k 2", "text": "We bake."}]}
    )
    said = write(prompt("When do you open on Sunday?", tools=(SEARCH,), results=(result,)))
    assert said == "On Sunday we open at 10. We bake."


def test_check_is_of_the_quoted_words() -> None:
    check = Tool("check_text", "Check a text", {"type": "object", "properties": {"text": {"type": "string"}}})
    (call,) = writer.answer(prompt('May we say "the best coffee"?', tools=(check,)), random.Random(1)).calls
    assert json.loads(call.arguments) == {"text": "the best coffee"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("intent: complaint\nlanguage: Chinese\nplain reply: 抱歉给你添麻烦了。", "抱歉给你添麻烦了。"),
        ("intent: question\nlanguage: English\nplain reply: We ask.", "We ask."),
        ("intent: question\ntopics: Norway\nplain reply: We ask.\nfacts:\n- We ship to Norway.", "We ship to Norway."),
    ],
)
def test_reply_is_made_of_what_it_may_say(lines: str, said: str) -> None:
    assert write(prompt(f"Draft the reply.\n{lines}", "You draft a reply that a person will look at.")) == said


def test_greeting_is_answered_with_what_can_be_done() -> None:
    assert "promote" in write(prompt("hello", "You are the marketing assistant of a team."))


def test_conversation_is_summarised() -> None:
    said = "user: We met on Monday.\n\nassistant: The budget is 400."
    turns = f"<before>\n\n</before>\n<conversation>\n{said}\n</conversation>"
    assert "The budget is 400." in write(prompt(turns, "Summarise the conversation between the marks."))
