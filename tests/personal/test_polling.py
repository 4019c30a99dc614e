from datetime import timedelta

import pytest

from accounts.models import Meter, Notification, Workspace
from accounts.scope import all_workspaces_scope
from lib.clock import now, shifted
from personal.booking import shares
from personal.models import Observation, WatchValue
from personal.polling import _claim, poll_watches, store
from personal.providers import ProviderError, Reading, Trouble, provider_of
from personal.providers.x import query_of
from tests.personal.conftest import make_due, read_all

pytestmark = pytest.mark.django_db
SYMBOLS = provider_of("symbol")


def value() -> WatchValue:
    return WatchValue.objects.get()


def test_a_value_is_read_once_however_many_watch_it(watch, providers, alice_actor, bob_actor, vic_actor) -> None:
    for actor in (alice_actor, bob_actor, vic_actor):
        watch("$ACME", by=actor)
    watch("$OTHER")
    assert poll_watches() == 2
    assert poll_watches() == 0
    assert sorted(entry["path"] for entry in providers.ledger()) == ["/v1/quotes/ACME", "/v1/quotes/OTHER"]
    assert Observation.objects.count() == 2


def test_only_what_is_new_is_kept(watch, providers) -> None:
    watch("$ACME")
    providers.post("/data/prices", symbol="ACME", price_cents=1000)
    read_all()
    make_due()
    providers.advance(3600)
    read_all()
    assert Observation.objects.count() == 1
    providers.post("/data/prices", symbol="ACME", price_cents=1001)
    make_due()
    read_all()
    row = value()
    assert (row.last_seq, row.data["price"], row.data["text"]) == (2, 10.01, "10.01")
    assert row.due_at > now() + timedelta(minutes=14)
    assert row.lease_until is None


def test_posts_of_an_account_and_with_a_chinese_word(watch, providers) -> None:
    providers.post("/posts", account="mara", text="Spring roast is here")
    providers.post("/posts", account="chenli", text="春季豆子到货了")
    watch("@Mara")
    watch("豆子")
    assert read_all("account") == 2
    told = {row.value: row.data["text"] for row in WatchValue.objects.all()}
    assert told == {"mara": "Spring roast is here", "豆子": "春季豆子到货了"}
    make_due()
    read_all("account")
    assert Observation.objects.count() == 2
    providers.post("/posts", account="mara", text="And gone again")
    make_due()
    read_all("account")
    newest = Observation.objects.filter(value__value="mara").first()
    assert newest is not None
    assert [item["text"] for item in newest.data["items"]] == ["And gone again"]


@pytest.mark.parametrize(
    ("kind", "typed", "query"),
    [
        ("account", "mara", "from:mara -is:retweet"),
        ("keyword", "豆子", '"豆子" -is:retweet'),
        ("keyword", 'a" from:bob', '"a  from:bob" -is:retweet'),
        ("keyword", "-is:reply", '"-is:reply" -is:retweet'),
    ],
)
def test_what_was_typed_becomes_no_operator(kind: str, typed: str, query: str) -> None:
    assert query_of(kind, typed) == query


@pytest.mark.parametrize(
    ("fault", "text", "least_s", "most_s"),
    [
        ({"kind": "rate_limit", "seconds": 120}, "later", 100, 121),
        ({"kind": "status", "status": 500}, "problem", 800, 901),
        ({"kind": "html_5xx"}, "problem", 800, 901),
        ({"kind": "status", "status": 200, "body": {"price": "NaN"}}, "could not be read", 800, 901),
        ({"kind": "drop_before_accept"}, "did not answer", 800, 901),
        ({"kind": "no_credit"}, "refuses", 800, 901),
    ],
)
def test_faults_are_told_and_tried_again(watch, providers, fault, text: str, least_s: int, most_s: int) -> None:
    watch("$ACME")
    providers.fault(platform="data", **fault)
    read_all()
    row = value()
    assert text in row.problem_text
    assert least_s < (row.due_at - now()).total_seconds() < most_s
    assert (row.lease_until, row.last_seq) == (None, 0)


def test_a_mended_value_forgets_its_trouble(watch, providers) -> None:
    watch("$ACME")
    providers.fault("status", platform="data", status=500, count=3)
    pauses = []
    for _ in range(3):
        make_due()
        read_all()
        pauses.append(round((value().due_at - now()).total_seconds() / 900))
    assert pauses == [1, 2, 4]
    make_due()
    read_all()
    assert (value().problem_text, value().failures_in_row, value().last_seq) == ("", 0, 1)


def test_what_is_not_listed_is_asked_for_once_a_day(watch) -> None:
    watch("$ZZTOP")
    read_all()
    assert "no such symbol" in value().problem_text
    assert value().due_at > now() + timedelta(hours=23)


def test_a_refused_key_stops_the_whole_provider_for_a_while(watch, providers) -> None:
    watch("$ACME")
    watch("$OTHER")
    providers.fault("status", platform="data", status=401)
    read_all()
    make_due()
    assert read_all() == 0
    assert len(providers.ledger()) == 1


def test_a_worker_that_lost_its_lease_writes_nothing(watch) -> None:
    watch("$ACME")
    late = _claim(SYMBOLS, 10)
    assert _claim(SYMBOLS, 10) == []
    with shifted(timedelta(minutes=3)):
        fresh = _claim(SYMBOLS, 10)
        assert [one.fence for one in (*late, *fresh)] == [1, 2]
        news = {fresh[0].id: Reading({"price": 2.0, "text": "2.00"})}
        assert store(late, {late[0].id: Reading({"price": 1.0, "text": "1.00"})}) == 0
        assert store(fresh, news) == 1
        # The same again, after a crash in between.
        assert store(late, news) == 0
    assert (value().data["price"], value().last_seq) == (2.0, 1)


def test_what_was_not_asked_for_in_time_is_due_again_at_once(watch) -> None:
    watch("$ACME")
    claimed = _claim(SYMBOLS, 10)
    store(claimed, {})
    assert (value().lease_until, value().last_seq) == (None, 0)
    assert len(_claim(SYMBOLS, 10)) == 1


def test_pace_is_kept(watch, settings) -> None:
    settings.DATA_CALLS_PER_S = 0.2
    for name in ("A", "B", "C", "D"):
        watch(f"${name}")
    assert read_all() == 2
    assert read_all() == 0
    with shifted(timedelta(seconds=5)):
        assert read_all() == 1


def test_nobody_reads_what_nobody_watches(watch, providers, in_workspace) -> None:
    kept = watch("$ACME")
    # As an erasure leaves it, which knows nothing of values.
    type(kept).objects.all().delete()
    assert value().watchers == 1
    assert read_all() == 0
    assert providers.ledger() == []


def test_without_a_provider_nothing_is_read(watch, settings) -> None:
    watch("$ACME")
    settings.DATA_API_BASE_URL = ""
    assert poll_watches() == 0


# --- who pays -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "watching", "each"),
    [(10, {1: 1, 2: 1, 3: 1}, [4, 3, 3]), (2, {1: 3, 2: 1}, [2, 0]), (7, {1: 2, 2: 3}, [4, 3]), (0, {1: 1}, [0])],
)
def test_shares_are_exact(cost: int, watching: dict, each: list[int]) -> None:
    found = shares(cost, watching)
    assert list(found.values()) == each
    assert sum(found.values()) == cost


def meters(name: str) -> dict[str, int]:
    with all_workspaces_scope("test"):
        rows = Meter.objects.filter(name=name).select_related("workspace")
        return {row.workspace.name: row.count for row in rows}


def test_watchers_share_the_cost(watch, settings, bob_actor, charlie_actor) -> None:
    settings.DATA_CALL_COST_MICRO = 200
    watch("$ACME")
    watch("$ACME", by=bob_actor)
    with all_workspaces_scope("test"):
        watch("$ACME", by=charlie_actor)
    read_all()
    assert meters("watch_reads") == {"Roastery": 1, "Bakery": 1}
    assert sum(meters("watch_micro").values()) == 200
    assert meters("watch_micro")["Roastery"] in {133, 134}


def test_an_answer_that_cost_nothing_and_news_there_was_none(watch) -> None:
    watch("$ACME")
    read_all()
    make_due()
    read_all()
    assert (meters("watch_reads"), meters("watch_micro")) == ({"Roastery": 2}, {})


def use_up(workspace: Workspace) -> None:
    workspace.plan = "free"
    workspace.save()
    month = now().date().replace(day=1)
    Meter.objects.create(workspace=workspace, name="watch_reads", month=month, count=10_000)


def test_who_has_used_up_the_plan_pays_and_reads_no_more(watch, in_workspace, providers) -> None:
    use_up(in_workspace)
    watch("$ACME")
    read_all()
    assert "plan" in value().problem_text
    assert providers.ledger() == []
    assert meters("watch_reads") == {"Roastery": 10_000}


def test_who_can_pay_does_not_wait_for_those_who_cannot(watch, in_workspace, providers, alice_actor, bob_actor) -> None:
    use_up(in_workspace)
    watch("$ACME")
    read_all()
    # The same again by whom it was denied is no reason to look anew.
    watch("$ACME")
    assert value().due_at > now() + timedelta(hours=5)
    in_workspace.plan = "pro"
    in_workspace.save()
    watch("$ACME", by=bob_actor)
    assert value().problem_text == ""
    assert read_all() == 1
    assert len(providers.ledger()) == 1


# --- alerts -------------------------------------------------------------------------------------------------


def price(providers, cents: int) -> list[str]:
    """The alerts there are once everybody was told of this price."""
    providers.post("/data/prices", symbol="ACME", price_cents=cents)
    make_due()
    read_all()
    return [row.text for row in Notification.objects.filter(kind="watch.move").order_by("created_at")]


def test_a_move_is_told_once(watch, providers, bob_actor) -> None:
    watch("$ACME", alert_percent=5.0)
    watch("$ACME", by=bob_actor)
    assert price(providers, 10_000) == []
    assert price(providers, 10_400) == []
    up = "$ACME is up 6.0%, now 106.00 USD."
    assert price(providers, 10_600) == [up]
    assert price(providers, 10_700) == [up]
    assert price(providers, 10_000) == [up, "$ACME is down 5.7%, now 100.00 USD."]
    row = Notification.objects.filter(kind="watch.move").first()
    assert row is not None
    assert (row.user.name, row.is_alert, row.path) == ("Alice", True, "/you/watchlist")


def test_small_steps_add_up(watch, providers) -> None:
    watch("$ACME", alert_percent=3.0, label="Our supplier")
    told = [price(providers, cents) for cents in (10_000, 10_100, 10_200, 10_250, 10_310)]
    assert told[:-1] == [[]] * 4
    assert told[-1] == ["Our supplier is up 3.1%, now 103.10 USD."]


def test_troubles_have_their_names() -> None:
    error = ProviderError(Trouble.LIMITED, "Later.")
    assert (str(error), error.retry_at) == ("Later.", None)
