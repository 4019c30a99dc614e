import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.folder_metadata import BadMetadata, ItemMetadata, compose_parts, digest_item, read_metadata


def read(**fields: Any) -> ItemMetadata:
    return read_metadata(json.dumps({"title": "Hello", **fields}).encode())[0]


def refusal(raw: bytes) -> BadMetadata:
    with pytest.raises(BadMetadata) as caught:
        read_metadata(raw)
    return caught.value


def wrong(**fields: Any) -> str:
    fault = refusal(json.dumps({"title": "Hello", **fields}).encode())
    assert fault.code == "wrong_fields"
    return fault.message


def test_every_field_is_read():
    metadata = read(
        title=" Spring ",
        description="Roasted\r\non Tuesday",
        tags=["coffee"],
        link="https://example.com/spring?ref=x",
        alt_text="A bag",
        language="en",
        scheduled_at="2026-12-24T09:00:00+01:00",
        thread=["one", "two"],
        made_with_ai=True,
    )
    assert metadata == ItemMetadata(
        title="Spring",
        description="Roasted\non Tuesday",
        tags=["coffee"],
        link="https://example.com/spring?ref=x",
        alt_text="A bag",
        language="en",
        scheduled_at=datetime(2026, 12, 24, 8, tzinfo=UTC),
        thread=["one", "two"],
        made_with_ai=True,
    )


def test_unknown_keys_and_nulls_are_tolerated():
    assert read(mood="good", description=None, tags=None, thread=None, link=None) == ItemMetadata(title="Hello")


def test_description_alone_is_enough():
    assert read(title=None, description="Only words").description == "Only words"


@pytest.mark.parametrize("title", [None, "", "  "])
def test_neither_title_nor_description_is_refused(title):
    assert "a title or a description" in wrong(title=title)


def test_text_is_normalised_to_one_unicode_form():
    assert read(title="Cafe\u0301").title == "Caf\u00e9"


@pytest.mark.parametrize("title", ["a\0b", "a\x1bb", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(title):
    assert "title: expected plain text" in wrong(title=title)


@pytest.mark.parametrize("value", ["\ud800", "a\0b"])
def test_report_can_be_stored_whatever_it_quotes(value):
    report = wrong(made_with_ai=value)
    assert report.encode()
    assert "\0" not in report


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"title": "missing brace"', "not_json"),
        (b"", "not_json"),
        (b"title: yaml", "not_json"),
        (b'{"title": NaN}', "not_json"),
        (b'{"title": "a", "n": ' + b"1" * 6000 + b"}", "not_json"),
        (b"[" * 200_000, "not_json"),
        (b"[]", "wrong_fields"),
        (b'"text"', "wrong_fields"),
        (b"null", "wrong_fields"),
        ('{"title": "é"}'.encode("latin-1"), "not_utf8"),
        ('{"title": "é"}'.encode("utf-16"), "not_utf8"),
    ],
)
def test_file_that_is_no_json_object_is_refused(raw, code):
    assert refusal(raw).code == code


def test_place_of_a_json_mistake_is_told():
    assert "line 2, column 10" in refusal(b'{"a": 1,\n"title": }').message


def test_byte_order_mark_is_accepted():
    assert read_metadata('\ufeff{"title": "欢迎"}'.encode())[0].title == "欢迎"


def test_repeated_keys_are_noted_at_any_depth():
    raw = b'{"title": "a", "title": "b", "title": "c", "source": {"x": 1, "x": 2}}'
    assert sorted(read_metadata(raw)[1]) == ["title", "x"]


def test_every_wrong_field_is_in_one_message():
    message = wrong(title=["a"], tags="one, two", scheduled_time="yesterday-ish", thread={"a": 1}, alt_text=5)
    assert message == (
        "title: expected text, found a list; "
        "tags: expected a list of texts, found “one, two”; "
        "alt_text: expected text, found a number; "
        "scheduled_time: expected a date and time such as 2026-12-24T09:00:00+01:00, found “yesterday-ish”; "
        "thread: expected a list of texts, found an object."
    )


def test_entries_of_lists_are_checked_one_by_one():
    message = wrong(thread=["fine", 3, " ", True])
    assert "thread[0]" not in message
    assert all(f"thread[{index}]: expected a text" in message for index in (1, 2, 3))


@pytest.mark.parametrize("key", ["tags", "hashtags"])
@pytest.mark.parametrize("tag", ["coffee", "#coffee", "＃coffee", " #coffee# "])
def test_tags_are_kept_without_their_sign(key, tag):
    assert read(**{key: [tag]}).tags == ["coffee"]


def test_tags_and_hashtags_are_joined_without_repeats():
    assert read(tags=["Coffee", "spring"], hashtags=["#coffee", "#new"]).tags == ["Coffee", "spring", "new"]


@pytest.mark.parametrize("tag", ["#", "!!!", "☕️"])
def test_tag_without_letters_is_refused(tag):
    assert "tags[0]: expected letters or digits" in wrong(tags=[tag])


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://a b.com",
        "https://[::1",
        "https://user:secret@example.com",
        "https://example.com@evil.example",
        "https://example.com:port/",
        "https://intranet/menu",
        "https://example.com/" + "x" * 2048,
    ],
)
def test_link_that_is_no_web_address_is_refused(link):
    assert "link: expected a web address" in wrong(link=link)


@pytest.mark.parametrize(
    ("written", "kept"), [("en", "en"), ("zh", "zh"), ("zh_CN", "zh-CN"), ("zh-Hant-TW", "zh-Hant-TW"), ("", "")]
)
def test_language_codes_are_accepted(written, kept):
    assert read(language=written).language == kept


@pytest.mark.parametrize("language", ["english please", "e", "zh-", "12"])
def test_other_languages_are_refused(language):
    assert "language: expected a language code" in wrong(language=language)


@pytest.mark.parametrize("key", ["scheduled_at", "scheduled_time"])
@pytest.mark.parametrize("written", ["2026-12-24T08:00:00Z", "2026-12-24 09:00+01:00", "20261224T080000Z"])
def test_time_with_a_zone_is_read(key, written):
    assert read(**{key: written}).scheduled_at == datetime(2026, 12, 24, 8, tzinfo=UTC)


def test_time_with_a_named_zone_beside_it_is_read():
    metadata = read(scheduled_at="2026-07-01T09:00", timezone="Europe/Berlin")
    assert metadata.scheduled_at == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_offset_in_the_time_wins_over_the_named_zone():
    metadata = read(scheduled_at="2026-07-01T09:00+00:00", timezone="Europe/Berlin")
    assert metadata.scheduled_at == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_time_without_a_zone_is_refused():
    assert "a timezone field beside it" in wrong(scheduled_at="2026-07-01T09:00")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "Europe", "CEST?", 5])
def test_unknown_zone_is_refused_once(zone):
    message = wrong(scheduled_at="2026-07-01T09:00", timezone=zone)
    assert message.count("expected") == 1
    assert message.startswith("timezone:")


def test_hour_that_the_clocks_skip_is_refused():
    assert "does not exist" in wrong(scheduled_at="2026-03-29 02:30", timezone="Europe/Berlin")


def test_hour_that_the_clocks_repeat_is_refused():
    assert "happens twice" in wrong(scheduled_at="2026-10-25 02:30", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    "written", ["2026-12-24", "20261224", "tomorrow", "24.12.2026 09:00", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_date_and_time_is_refused(written):
    assert "expected a date and time" in wrong(scheduled_at=written)


def test_time_as_a_number_is_refused():
    assert "scheduled_time: expected text, found a number" in wrong(scheduled_time=1_800_000_000)


def test_the_same_moment_under_both_names_is_accepted():
    metadata = read(scheduled_at="2026-07-01T09:00Z", scheduled_time="2026-07-01T11:00+02:00")
    assert metadata.scheduled_at == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_two_different_moments_are_refused():
    assert "differs" in wrong(scheduled_at="2026-07-01T09:00Z", scheduled_time="2026-07-01T09:00+02:00")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"made_with_ai": True}, True),
        ({"made_with_ai": False}, False),
        ({"source": {"config": {"made_with_ai": True}}}, True),
        ({"source": {"config": {"made_with_ai": True}}, "made_with_ai": False}, True),
        ({"source": "a camera"}, False),
        ({"source": {"config": None}}, False),
    ],
)
def test_made_with_ai_is_read_from_both_places(fields, expected):
    assert read(**fields).made_with_ai is expected


@pytest.mark.parametrize("value", ["yes", 1, []])
def test_made_with_ai_must_be_true_or_false(value):
    assert "source.config.made_with_ai: expected true or false" in wrong(source={"config": {"made_with_ai": value}})


def test_digest_is_stable_across_releases():
    metadata = ItemMetadata(title="Hello", tags=["a"])
    assert digest_item("00", metadata) == "40ad954466967dc5449bf9de48b6087fcfa2bac8960f2d34412472ad2e621efe"


def test_digest_does_not_depend_on_how_a_moment_is_written():
    first, second = read(scheduled_at="2026-07-01T09:00Z"), read(scheduled_at="2026-07-01T11:00+02:00")
    assert digest_item("00", first) == digest_item("00", second)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"description": "x"},
        {"tags": ["x"]},
        {"link": "https://example.com"},
        {"alt_text": "x"},
        {"language": "en"},
        {"scheduled_at": "2026-07-01T09:00Z"},
        {"thread": ["x"]},
        {"made_with_ai": True},
    ],
)
def test_digest_changes_with_every_field(change):
    assert digest_item("00", read(**change)) != digest_item("00", read())


def test_digest_changes_with_the_media():
    assert digest_item("00", read()) != digest_item("01", read())


def test_first_part_is_title_description_link_and_hashtags():
    metadata = ItemMetadata(title="T", description="D", link="https://example.com", tags=["one", "two"])
    assert compose_parts(metadata) == ["T\n\nD\n\nhttps://example.com\n\n#one #two"]


def test_absent_blocks_leave_no_gap():
    assert compose_parts(ItemMetadata(description="D", tags=["one"])) == ["D\n\n#one"]


def test_thread_follows():
    assert compose_parts(ItemMetadata(title="T", thread=["one", "two"])) == ["T", "one", "two"]


def test_nothing_is_cut():
    assert compose_parts(ItemMetadata(title="x" * 5000)) == ["x" * 5000]


def test_chinese_hashtags_are_plain():
    assert compose_parts(read(title="护肤", tags=["#换季护肤#", "防晒"])) == ["护肤\n\n#换季护肤 #防晒"]


@pytest.mark.parametrize("title", ["All about #Coffee.", "#coffee", "＃coffee!", "喜欢#话题#吗 #coffee"])
def test_hashtag_already_in_the_text_is_not_repeated(title):
    assert compose_parts(ItemMetadata(title=title, tags=["coffee"])) == [title]


def test_hashtag_already_in_the_thread_is_not_repeated():
    assert compose_parts(ItemMetadata(title="T", thread=["#coffee"], tags=["coffee"])) == ["T", "#coffee"]


@pytest.mark.parametrize(
    "title", ["coffee", "#coffeeshop", "#换季护肤小课堂", "https://example.com/#coffee", "a#coffee"]
)
def test_what_is_not_that_hashtag_does_not_replace_it(title):
    (part,) = compose_parts(ItemMetadata(title=title, tags=["coffee", "换季护肤"]))
    assert part == f"{title}\n\n#coffee #换季护肤"


@pytest.mark.parametrize(
    ("tag", "written"),
    [("cold brew", "#coldbrew"), ("rock'n'roll", "#rocknroll"), ("हिन्दी", "#हिन्दी"), ("tea☕️", "#tea")],
)
def test_hashtag_keeps_what_networks_link(tag, written):
    assert compose_parts(ItemMetadata(title="T", tags=[tag])) == [f"T\n\n{written}"]


def test_tags_that_end_up_alike_are_written_once():
    assert compose_parts(ItemMetadata(title="T", tags=["cold brew", "coldbrew"])) == ["T\n\n#coldbrew"]


def test_link_already_in_the_text_is_not_repeated():
    metadata = ItemMetadata(title="T", description="See https://example.com/a.", link="https://example.com/a")
    assert compose_parts(metadata) == ["T\n\nSee https://example.com/a."]


def test_longer_link_in_the_text_does_not_replace_it():
    metadata = ItemMetadata(title="https://example.com/abc", link="https://example.com/a")
    assert compose_parts(metadata) == ["https://example.com/abc\n\nhttps://example.com/a"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "title",
        "description",
        "tags",
        "hashtags",
        "link",
        "alt_text",
        "language",
        "scheduled_at",
        "timezone",
        "thread",
        "made_with_ai",
        "source",
        "other",
    ]
)


@given(fields=st.dictionaries(FIELDS, JSON_VALUES))
@settings(max_examples=60, deadline=None)
def test_any_json_object_is_read_or_refused_in_storable_words(fields):
    try:
        metadata, _ = read_metadata(json.dumps({"title": "Hello", **fields}).encode())
        words = "\n".join(compose_parts(metadata)) + digest_item("00", metadata)
    except BadMetadata as fault:
        words = fault.message
    assert words.encode()
    assert "\0" not in words


@given(raw=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_no_metadata(raw):
    assert refusal(raw).code in {"not_json", "not_utf8", "wrong_fields"}
