import pytest

from tests.sandbox.cast import Client, Sandbox


@pytest.fixture
def said(sandbox: Sandbox) -> dict[str, str]:
    texts = {
        "mara": "Fresh roast today #coffee",
        "chenli": "春季豆子到货了，欢迎来尝 #咖啡",
        "otto": "Tea, please. No coffee roast for me",
    }
    return {name: sandbox.post("/posts", account=name, text=text)["id"] for name, text in texts.items()}


def found(alice: Client, query: str, **params: object) -> list[str]:
    answer = alice.get("/2/tweets/search/recent", query=query, max_results=10, **params)
    assert answer.status_code == 200, answer.text
    return [post["id"] for post in answer.json().get("data", [])]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("coffee", ["otto", "mara"]),
        ("COFFEE", ["otto", "mara"]),
        ("coffee roast", ["otto", "mara"]),
        ('"coffee roast" -is:retweet', ["otto"]),
        ("from:mara", ["mara"]),
        ("from:mara tea", []),
        ("from:nobody_here", []),
        ('"豆子"', ["chenli"]),
        ("#咖啡", ["chenli"]),
        ("nothing", []),
    ],
)
def test_what_a_query_finds(alice: Client, said: dict[str, str], query: str, names: list[str]) -> None:
    assert found(alice, query) == [said[name] for name in names]


def test_only_what_is_newer_and_not_older_than_a_week(sandbox: Sandbox, alice: Client, said: dict[str, str]) -> None:
    assert found(alice, "coffee", since_id=said["mara"]) == [said["otto"]]
    sandbox.advance(8 * 86_400)
    alice = sandbox.sign_in("alice")
    assert found(alice, "coffee") == []


@pytest.mark.parametrize("query", ["", "  ", "-is:retweet", "near:here", 'un"even', "x" * 513])
def test_a_query_that_cannot_be_read(alice: Client, query: str) -> None:
    assert alice.get("/2/tweets/search/recent", query=query, max_results=10).status_code == 400


def test_an_app_may_search_without_an_account_and_pays_for_each_post(sandbox: Sandbox, said: dict[str, str]) -> None:
    app = Client(sandbox, "sandbox-client-bearer", "", "", {})
    assert len(found(app, "coffee")) == 2
    assert sandbox.ledger()[-1]["cost_micro"] == 10_000
