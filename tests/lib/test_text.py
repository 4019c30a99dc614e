import json

import pytest
from django.db import connection

from lib.text import storable, without_query


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        ("a\x00b", "ab"),
        ("half \ud83d", "half "),
        ("咖啡 ☕️ 👩‍🍳", "咖啡 ☕️ 👩‍🍳"),
        ("\u202eright", "\u202eright"),
        ("", ""),
    ],
)
def test_only_what_the_database_refuses_is_dropped(given, kept):
    assert storable(given) == kept


def test_what_is_left_can_be_stored(db):
    odd = storable("\x00\ud800 ok \udfff" + json.loads('"\\ud83d"'))
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [odd])
        assert cursor.fetchone()[0] == odd


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/b?token=x", "https://a.example/b"),
        ("https://a.example?x", "https://a.example"),
        ("https://a.example/b#x?y", "https://a.example/b"),
        ("https://a.example/b?x#y", "https://a.example/b"),
        ("https://a.example:8443/b/", "https://a.example:8443/b/"),
        ("", ""),
    ],
)
def test_address_is_shown_up_to_its_path(url, shown):
    assert without_query(url) == shown
