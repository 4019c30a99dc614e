import inspect
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.safety import planner
from agents.safety.clues import Clues
from agents.safety.kinds import Intent, Risk, Route
from agents.safety.planner import DOUBTED, ROUTES, UNANSWERED, WHY, make_plan
from agents.safety.reader import Reading

READINGS = st.builds(
    Reading,
    st.sampled_from(Intent),
    st.floats(-1, 1),
    st.just("en"),
    risks=st.frozensets(st.sampled_from(Risk), max_size=2),
)
CLUES = st.builds(
    Clues,
    st.none() | st.sampled_from([one for one in Intent if one not in {Intent.SPAM, Intent.ATTACK}]),
    st.floats(-1, 1),
    st.booleans(),
    st.frozensets(st.sampled_from(Risk), max_size=3),
)


def plan(reading=None, clues=None, channel="comment"):
    return make_plan(reading, clues or Clues(None), channel=channel, language="en")


def read(intent, sentiment=0.0, **more):
    return Reading(intent, sentiment, "en", **more)


def test_the_planner_never_sees_text():
    """Its only inputs are closed values, the channel and the language."""
    assert list(inspect.signature(make_plan).parameters) == ["reading", "clues", "channel", "language"]
    assert "normalise" not in inspect.getsource(planner)


def test_every_intent_has_a_route_and_every_risk_a_sentence():
    assert set(ROUTES) == set(Intent)
    assert set(WHY) == set(Risk)


@settings(max_examples=300, deadline=None)
@given(st.none() | READINGS, CLUES, st.sampled_from(["comment", "dm", "web_page", "bio"]))
def test_a_sign_of_an_attack_means_a_person_whatever_the_model_says(reading, clues, channel):
    made = plan(reading, clues, channel)
    if clues.risks:
        assert made.route == Route.REVIEW
        assert made.reasons
        assert not made.is_answered
    if reading and reading.risks and not clues.risks and channel != "web_page":
        assert made.reasons


@settings(max_examples=200, deadline=None)
@given(READINGS, CLUES)
def test_plain_words_outweigh_the_model(reading, clues):
    if clues.intent and clues.is_sure and not clues.risks:
        assert plan(reading, clues).route == ROUTES[clues.intent]


@pytest.mark.parametrize("intent", list(Intent))
def test_where_the_words_say_nothing_the_model_decides(intent):
    assert plan(read(intent)).route == ROUTES[intent]


@pytest.mark.parametrize(
    ("sentiment", "route"), [(0.9, Route.POSITIVE), (-0.9, Route.NEGATIVE), (0.2, Route.NEUTRAL), (-0.6, Route.NEUTRAL)]
)
def test_a_remark_with_a_clear_mood_is_praise_or_complaint(sentiment, route):
    assert plan(read(Intent.OTHER, sentiment)).route == route


def test_a_weak_sign_gives_way_to_the_model():
    weak = Clues(Intent.PRAISE, is_sure=False)
    assert plan(read(Intent.COMPLAINT), weak).route == Route.NEGATIVE
    assert plan(read(Intent.OTHER), weak).route == Route.POSITIVE


def test_a_suspicion_of_the_model_alone_holds_the_draft_for_a_person():
    made = plan(read(Intent.ATTACK), Clues(Intent.PRAISE, is_sure=True))
    assert (made.route, made.reasons) == (Route.POSITIVE, (DOUBTED,))


def test_a_page_is_summed_up_unless_it_attacks():
    assert plan(read(Intent.QUESTION), channel="web_page").route == Route.SUMMARISE
    assert plan(read(Intent.QUESTION), Clues(None, risks=frozenset({Risk.HIDDEN})), "web_page").route == Route.REVIEW


def test_without_a_model_the_words_decide_and_a_person_looks():
    assert plan(None, Clues(Intent.QUESTION, is_sure=True)).route == Route.ANSWER
    assert plan(None, Clues(Intent.QUESTION, is_sure=True)).reasons
    assert plan(None).route == Route.REVIEW


def test_nothing_is_drafted_on_the_quiet_routes():
    quiet = {Route.NEUTRAL, Route.SUMMARISE, Route.REVIEW}
    assert quiet == UNANSWERED
    for intent, channel in itertools.product(Intent, ["comment", "dm"]):
        made = plan(read(intent), channel=channel)
        assert made.is_answered is (made.route not in quiet)
