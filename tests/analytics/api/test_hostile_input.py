"""What no honest caller sends, and still gets an answer that the document names."""

import pytest

pytestmark = pytest.mark.django_db
WEEK = '{"start": "2026-03-02", "end": "2026-03-08", %s}'
SALE = '{"key": "order-1", %s}'
LINK = '{"target": "https://acme.example/", %s}'
HUGE = "1" + "0" * 400


REFUSED = [
    ("reports", WEEK % '"language": "\\ud800"', "language"),
    ("reports", WEEK % '"start": "0001-01-01"', "start"),
    ("reports", WEEK % '"end": "9999-12-31"', "end"),
    ("reports", WEEK % '"start": "9999-12-31", "end": "9999-12-31"', "start"),
    ("reports", WEEK % '"end": "2026-02-30"', "end"),
    ("reports", WEEK % '"campaign": "018f0000-0000-7000-8000-000000000000"', "campaign"),
    ("reports", WEEK % f'"campaign": {HUGE}', "campaign"),
    ("links", LINK % '"title": "\\u0000"', "title"),
    ("links", LINK % '"target": "http://[::1"', "target"),
    ("links", LINK % '"target": "javascript:alert(1)"', "target"),
    ("links", LINK % '"code": "\\ud800"', "code"),
    ("conversions", SALE % f'"value": {HUGE}', "conversions"),
    ("conversions", SALE % '"value": "NaN"', "conversions"),
    ("conversions", SALE % '"value": 1e999', "conversions"),
    ("conversions", SALE % '"at": "0001-01-01T00:00:00+14:00"', "conversions"),
    ("conversions", SALE % '"at": "9999-12-31T23:59:59-14:00"', "conversions"),
    ("conversions", SALE % '"data": {"\\ud800": 1}', "conversions"),
    ("conversions", SALE % '"data": {"a": "\\u0000"}', "conversions"),
    ("conversions", '{"conversions": []}', "conversions"),
    ("conversions", '{"conversions": [%s{}]}' % ("{}," * 1000), "conversions"),
    ("conversions", SALE % '"value": Infinity', "detail"),
    ("conversions", "[" * 100_000, "detail"),
]


def test_it_is_refused_beside_its_field(api, bob, workspace) -> None:
    client = api(bob)
    for path, body, field in REFUSED:
        answer = client.generic("POST", f"/api/{path}", body, content_type="application/json")
        assert answer.status_code == 400, (body[:80], answer.content)
        assert answer["Content-Type"] == "application/problem+json"
        assert field in (answer.json().get("errors") or answer.json()), body[:80]


@pytest.mark.parametrize("path", ["links", "reports", "experiments"])
def test_made_up_pages_are_no_errors_of_ours(api, bob, workspace, path: str) -> None:
    client = api(bob)
    for size in ("0", "-1", "201", "99999999999999999999", "NaN", "", "%00"):
        assert client.get(f"/api/{path}?page_size={size}").json()["results"] == [], size
    for cursor in ("x", "cD0x", "%00", "%ED%A0%80", "cD14eHg="):
        assert client.get(f"/api/{path}?cursor={cursor}").status_code in {200, 400}, cursor
    answer = client.get(f"/api/{path}?cursor=%C3%BC")
    assert answer.status_code == 400
    assert "begin without one" in answer.json()["errors"]["cursor"][0]


def test_pages_follow_each_other(api, bob, workspace) -> None:
    client = api(bob)
    made = [
        client.post("/api/links", {"target": f"https://acme.example/{n}"}, format="json").json()["id"] for n in range(5)
    ]
    seen, address = [], "/api/links?page_size=2"
    while address:
        page = client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert seen == made[::-1]


def test_a_key_of_a_request_is_one_request(api, bob, workspace) -> None:
    client = api(bob)

    def ask(target: str, key: str):
        return client.post("/api/links", {"target": target}, headers={"Idempotency-Key": key}, format="json")

    first, again = ask("https://acme.example/", "one"), ask("https://acme.example/", "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert ask("https://acme.example/other", "one").status_code == 422
    assert ask("https://acme.example/", "two").json()["id"] != first.json()["id"]
    # What failed may be tried again.
    assert ask("ftp://acme.example/", "three").status_code == 400
    assert ask("https://acme.example/", "three").status_code == 201
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= first.headers.keys()
