"""Signals into a state: the arithmetic by tables and properties, then with real rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance import health
from compliance.health import Change, current_state, health_facts, note_signal, reasons_of, reassess, weigh
from compliance.models import AccountHealth, HealthSignal
from lib import clock
from lib.ids import uuid7

Kind, State = HealthSignal.Kind, AccountHealth.State
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDER = list(State)
ACCOUNT = uuid7()


@dataclass(frozen=True)
class Heard:
    kind: str
    at: datetime
    detail: str = ""


def ago(days: float, *kinds: str, detail: str = "") -> list[Heard]:
    return [Heard(kind, NOON - timedelta(days=days), detail) for kind in kinds]


def rank(state: str) -> int:
    return ORDER.index(State(state))


# --- the arithmetic --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signals", "score", "state"),
    [
        ([], 0, "healthy"),
        (ago(0, *["refusal"] * 5), 2.5, "healthy"),
        (ago(0, *["refusal"] * 6), 3, "warned"),
        (ago(0, "strike"), 4, "warned"),
        (ago(14, "strike"), 2, "healthy"),
        (ago(28, "strike"), 1, "healthy"),
        (ago(0, "strike", "strike"), 8, "restricted"),
        (ago(14, "strike", "strike"), 4, "warned"),
        (ago(0, "strike", "strike", "strike"), 12, "suspended"),
        (ago(1, "strike", "strike", "strike"), 11.42, "suspended"),
        (ago(2, "strike", "strike", "strike"), 10.87, "restricted"),
        (ago(0, "deletion", "deletion"), 3, "warned"),
        (ago(0, *["deletion"] * 8), 12, "suspended"),
        (ago(0, "strike", "deletion", "refusal"), 6, "restricted"),
        (ago(0, *["rate_limit"] * 500), 4, "warned"),
        (ago(0, *["reach"] * 500), 4, "warned"),
        (ago(0, *["refusal"] * 500), 8, "restricted"),
        (ago(101, *["strike"] * 500), 0, "healthy"),
        (ago(-1, "strike"), 0, "healthy"),
    ],
)
def test_what_signals_amount_to(signals, score, state):
    standing = weigh(signals, NOON)
    assert (standing.score, standing.state) == (pytest.approx(score, abs=0.01), state)


@pytest.mark.parametrize(
    ("signals", "score"),
    [
        (ago(3, "strike") + ago(1, "appeal_won"), 0),
        (ago(3, "appeal_won") + ago(0, "strike"), 4),
        (ago(9, "strike") + ago(0, "strike", "appeal_won"), 4 * 0.5 ** (9 / 14)),
        (ago(2, "deletion", "refusal") + ago(0, "appeal_won"), 0.5 * 0.5 ** (2 / 14)),
        (ago(2, "deletion", "strike") + ago(0, "appeal_won", "appeal_won"), 0),
        (ago(2, "rate_limit") + ago(0, "appeal_won"), 0.25 * 0.5 ** (2 / 14)),
        (ago(0, "appeal_won"), 0),
    ],
)
def test_a_won_appeal_takes_the_newest_strike_back(signals, score):
    assert weigh(signals, NOON).score == pytest.approx(score, abs=0.001)


def test_reasons_are_sentences_and_the_heaviest_comes_first():
    signals = ago(5, "refusal") + ago(2, "refusal", detail="X says no.") + ago(3, "strike", detail="Locked.")
    assert weigh(signals, NOON).reasons == [
        "A strike, last on 18 Nov 2026: Locked.",
        "2 refusals by the network, last on 19 Nov 2026: X says no.",
    ]


def test_a_reason_without_detail_still_ends_as_a_sentence():
    assert weigh(ago(0, "strike"), NOON).reasons == ["A strike, last on 21 Nov 2026."]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.APPEAL_WON])
def test_every_kind_counts_and_has_words(kind):
    standing = weigh(ago(0, kind), NOON)
    assert standing.score > 0
    assert len(standing.reasons) == 1


heard = st.builds(
    Heard,
    kind=st.sampled_from([kind for kind in Kind if kind != Kind.APPEAL_WON]),
    at=st.integers(0, 110 * 24).map(lambda hours: NOON - timedelta(hours=hours)),
)


@given(st.lists(heard, max_size=30), heard)
def test_another_signal_never_makes_it_better(signals, one_more):
    assert weigh([*signals, one_more], NOON).score >= weigh(signals, NOON).score


@given(st.lists(heard, max_size=30), st.integers(0, 120))
def test_time_alone_never_makes_it_worse_and_heals_all(signals, days):
    later = weigh(signals, NOON + timedelta(days=days))
    assert later.score <= weigh(signals, NOON).score
    assert rank(later.state) <= rank(weigh(signals, NOON).state)
    assert weigh(signals, NOON + timedelta(days=101)).state == State.HEALTHY


@given(st.lists(heard, max_size=30))
def test_an_appeal_never_makes_it_worse(signals):
    assert weigh([*signals, Heard(Kind.APPEAL_WON, NOON)], NOON).score <= weigh(signals, NOON).score


@given(st.lists(heard, max_size=20), st.randoms())
def test_the_order_of_hearing_does_not_matter(signals, random):
    mixed = list(signals)
    random.shuffle(mixed)
    assert weigh(mixed, NOON).score == pytest.approx(weigh(signals, NOON).score, abs=0.002)


@given(st.lists(st.sampled_from([Kind.RATE_LIMIT, Kind.REACH]), max_size=100))
def test_what_has_many_causes_alone_never_stops_an_account(kinds):
    assert rank(weigh(ago(0, *kinds), NOON).state) <= rank(State.RESTRICTED)


# --- with rows -------------------------------------------------------------------------------------------------


@pytest.fixture
def changes(monkeypatch, db) -> list[Change]:
    """What the higher apps are told."""
    told: list[Change] = []
    monkeypatch.setattr(health, "FOLLOWERS", {"test": told.append})
    return told


@pytest.fixture
def note(changes, in_workspace):
    def run(kind: str, times: int = 1, detail: str = "", days_ago: float = 0) -> list[bool]:
        with clock.shifted(-timedelta(days=days_ago)):
            return [note_signal(in_workspace, ACCOUNT, kind, detail) for _ in range(times)]

    return run


def row() -> AccountHealth:
    return AccountHealth.objects.select_related("workspace").get(connection_id=ACCOUNT)


def test_a_signal_is_kept_and_counts_at_once(note):
    note("strike", detail="X locked it.\n\x00")
    assert HealthSignal.objects.get().detail == "X locked it."
    assert (row().state, row().score) == ("warned", 4)
    assert reasons_of(row())[0].endswith(": X locked it.")


def test_only_a_change_is_told_and_dated(note, changes):
    note("refusal", 5)
    assert changes == []
    before = row().changed_at
    note("refusal")
    assert [(change.before, change.after, change.is_worse) for change in changes] == [("healthy", "warned", True)]
    assert row().changed_at > before
    note("rate_limit")
    assert len(changes) == 1


@pytest.mark.parametrize(("kind", "most"), [("refusal", 6), ("rate_limit", 6), ("deletion", 4), ("reach", 1)])
def test_one_cause_is_not_counted_by_every_post_of_the_day(note, kind, most):
    assert note(kind, most + 3).count(True) == most
    with clock.shifted(timedelta(days=1, minutes=1)):
        assert note(kind) == [True]


def test_strikes_are_all_counted(note):
    assert all(note("strike", 7))


def test_time_heals_once_it_is_looked_at(note, changes, in_workspace):
    note("strike", 3)
    assert row().state == "suspended"
    for days, state in ((2, "restricted"), (16, "warned"), (30, "healthy")):
        with clock.shifted(timedelta(days=days)):
            assert reassess(in_workspace, ACCOUNT).state == state
    assert [change.after for change in changes][-3:] == ["restricted", "warned", "healthy"]
    assert not changes[-1].is_worse


def test_what_may_recover_is_found_and_the_healthy_left_alone(note, in_workspace, workspace):
    note("strike")
    reassess(in_workspace, uuid7())
    with all_workspaces_scope("test"):
        assert health.to_reassess() == [(workspace.pk, ACCOUNT)]


def test_the_facts_for_the_guard(note, in_workspace):
    note("strike", 2, days_ago=31)
    note("strike", 2)
    assert health_facts([ACCOUNT, uuid7()]) == {ACCOUNT: {"account_health": "restricted", "strikes_30d": 2}}
    note("appeal_won")
    assert health_facts([ACCOUNT])[ACCOUNT]["strikes_30d"] == 1


def test_the_facts_take_two_queries_for_any_number(note, in_workspace, django_assert_num_queries):
    for other in (uuid7(), uuid7()):
        note_signal(in_workspace, other, "strike")
    note("strike")
    ids = list(AccountHealth.objects.values_list("connection_id", flat=True))
    with django_assert_num_queries(2):
        assert len(health_facts(ids)) == 3


def test_accounts_and_workspaces_do_not_mix(note, other_workspace, in_workspace):
    note("strike")
    with workspace_scope(other_workspace.pk):
        note_signal(other_workspace, ACCOUNT, "refusal")
        assert (row().state, HealthSignal.objects.count()) == ("healthy", 1)
    assert (row().state, HealthSignal.objects.count()) == ("warned", 1)


# --- staff ------------------------------------------------------------------------------------------------------


@pytest.fixture
def as_staff(note, staff):
    """Forces a state as staff do, in the scope that they have."""

    def run(state: str, reason: str = "We know better") -> bool:
        with all_workspaces_scope("test"):
            if not state:
                return health.unforce_state(row(), reason=reason, staff=staff)
            return health.force_state(row(), state, reason=reason, staff=staff)

    return run


def test_what_staff_set_counts_whatever_happens(note, changes, as_staff):
    note("refusal")
    assert as_staff("restricted")
    note("strike", 3)
    with all_workspaces_scope("test"):
        assert (row().state, current_state(row())) == ("suspended", "restricted")
        assert reasons_of(row()) == ["Set by staff: We know better."]
    assert [(change.before, change.after) for change in changes] == [("healthy", "restricted")]


def test_taking_it_back_lets_the_signals_speak(note, changes, as_staff):
    note("strike", 3)
    as_staff("healthy")
    assert as_staff("")
    assert [change.after for change in changes][-2:] == ["healthy", "suspended"]
    with all_workspaces_scope("test"):
        assert row().forced_reason == ""


def test_the_same_again_is_no_act(note, as_staff):
    note("refusal")
    assert [as_staff("warned"), as_staff("warned"), as_staff(""), as_staff("")] == [True, False, True, False]
    with all_workspaces_scope("test"):
        acts = AuditEntry.objects.filter(workspace=None).order_by("number").values_list("action", flat=True)
        assert list(acts) == ["health.force", "health.unforce"]


def test_strikes_do_not_speak_against_staffs_word(note, as_staff):
    note("strike", 6)
    as_staff("healthy")
    with all_workspaces_scope("test"):
        assert health_facts([ACCOUNT]) == {ACCOUNT: {"account_health": "healthy"}}


@pytest.mark.parametrize(("kind", "state"), [("strike", "restricted"), ("appeal_won", "healthy")])
def test_staff_add_what_no_answer_tells(note, staff, kind, state):
    note("strike")
    with all_workspaces_scope("test"):
        assert health.note_by_staff(row(), kind, reason="By letter", staff=staff)
        assert row().state == state
        entries = AuditEntry.objects.filter(action=f"health.{kind}").select_related("detail")
        assert {entry.detail.actor for entry in entries} == {"staff", "staff@example.org"}


def test_filters_agree_with_the_state_that_counts(note, as_staff):
    note("strike", 2)
    as_staff("warned")
    found = {wanted: AccountHealth.objects.filter(health.is_in(wanted)).exists() for wanted in State}
    assert found == {wanted: wanted == "warned" for wanted in State}
    as_staff("")
    found = {wanted: AccountHealth.objects.filter(health.is_in(wanted)).exists() for wanted in State}
    assert found == {wanted: wanted == "restricted" for wanted in State}
