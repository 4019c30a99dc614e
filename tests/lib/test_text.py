import json

import pytest
from django.db import connection

from lib.text import storable


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
