import pytest
from django.core.exceptions import ValidationError

from campaigns.models import Post, Source
from campaigns.source_config import SourceConfig, Words, clean_config, fill, read_config
from campaigns.source_scan import scan_source
from campaigns.sources import create_source, update_source
from tests.campaigns.cast import add_connection, folder_of, texts_of
from tests.media_files import write_json, write_pair

WORDS = Words("Title", "Summary", "Text", "https://a.example", ("one", "two words"), "News")


# --- the template -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{title}", "Title"),
        ("{source}: {title} — {summary}", "News: Title — Summary"),
        ("{text}\n\n{link}\n\n{tags}", "Text\n\nhttps://a.example\n\n#one #twowords"),
        ("{title} #One\n{tags}", "Title #One\n#twowords"),
        ("{title}{title}", "TitleTitle"),
        ("no placeholder", "no placeholder"),
        ("a { b } c", "a { b } c"),
    ],
)
def test_placeholders_are_filled(template, text):
    assert fill(template.replace("{ b }", "{"), WORDS) == text.replace("{ b }", "{")


def test_a_brace_in_a_value_is_only_a_brace():
    assert fill("{title}", Words(title="{link} {title!r} {0.__class__}")) == "{link} {title!r} {0.__class__}"


def test_lines_of_empty_placeholders_are_closed_up():
    assert fill("{title}\n\n{link}\n\n{tags}\n\nBye", Words(title="Hi")) == "Hi\n\nBye"


# --- what may be saved ------------------------------------------------------------------------------------


def test_nothing_given_is_the_default():
    assert clean_config({}) == SourceConfig().as_json()


def test_what_is_saved_is_read_back():
    given = {"text_template": "{title}", "tags": ["a"], "language": "zh-CN", "enhance": True, "submit": True}
    assert read_config(clean_config(given | {"newest_only": 7})).as_json() == given | {"newest_only": 7}


def test_options_of_a_later_version_are_left_alone():
    assert read_config({"colour": "red", "language": "de"}).language == "de"


def test_tags_are_tidied():
    assert clean_config({"tags": [" #beans ", "beans", "", "咖啡"]})["tags"] == ["beans", "咖啡"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text_template", "{titel}"),
        ("text_template", "{title.__class__}"),
        ("text_template", "{}"),
        ("text_template", "a" * 2001),
        ("text_template", 7),
        ("tags", "beans"),
        ("tags", [7]),
        ("tags", ["!!!"]),
        ("tags", ["a" * 51]),
        ("tags", [f"t{number}" for number in range(21)]),
        ("language", "english please"),
        ("language", 1),
        ("enhance", "yes"),
        ("submit", 1),
        ("newest_only", -1),
        ("newest_only", 21),
        ("newest_only", "3"),
        ("newest_only", True),
        ("colour", "red"),
    ],
)
def test_wrong_values_are_refused_beside_their_field(field, value):
    with pytest.raises(ValidationError) as caught:
        clean_config({field: value})
    assert list(caught.value.message_dict) == [field]


# --- folders ----------------------------------------------------------------------------------------------


@pytest.fixture
def spring(in_workspace, bob_actor):
    """A folder with one pair, and a scan of it."""

    def scan(config: dict, **fields) -> Post:
        source = create_source(by=bob_actor, name="Spring", folder="spring", config=config, **fields)
        write_pair(folder_of(source) / "hero.jpg", title="Hello", description="Words.", tags=["own"], thread=["Two"])
        scan_source(source, by=bob_actor)
        return Post.objects.get()

    return scan


@pytest.mark.django_db
def test_a_folders_text_follows_its_template(spring):
    assert texts_of(spring({"text_template": "{title}! {summary} {tags}", "tags": ["all"]})) == [
        "Hello! Words. #all #own",
        "Two",
    ]


@pytest.mark.django_db
def test_without_a_template_the_sources_tags_join_the_files_own(spring):
    post = spring({"tags": ["all", "own"]})
    assert texts_of(post)[0] == "Hello\n\nWords.\n\n#all #own"
    assert post.tags == ["all", "own"]


@pytest.mark.django_db
def test_the_language_of_the_file_goes_before_the_sources(spring, bob_actor):
    post = spring({"language": "de"})
    source = Source.objects.get()
    assert (post.language, post.source) == ("de", source)
    write_json(folder_of(source) / "hero.json", title="Hello", language="fr")
    scan_source(source, by=bob_actor)
    assert Post.objects.get().language == "fr"


@pytest.mark.django_db
def test_a_folders_new_posts_go_to_review_where_it_says_so(spring, in_workspace):
    post = spring({"submit": True}, connections=[add_connection(in_workspace).pk])
    assert post.deliveries.get().state == "in_review"


# --- sources of both kinds --------------------------------------------------------------------------------


@pytest.fixture
def feed(in_workspace, bob_actor) -> Source:
    return create_source(by=bob_actor, name="News", feed_url="example.com/feed")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("feed://example.com/rss", "https://example.com/rss"),
        ("feed:http://example.com/rss", "http://example.com/rss"),
        (" http://example.com/rss ", "http://example.com/rss"),
        ("https://bücher.example/rss", "https://bücher.example/rss"),
    ],
)
def test_addresses_are_kept_with_their_scheme(in_workspace, bob_actor, given, kept):
    assert create_source(by=bob_actor, name="News", feed_url=given).feed_url == kept


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "https://user:word@example.com/", "http://"]
)
def test_addresses_that_cannot_be_read_are_refused(in_workspace, bob_actor, url):
    with pytest.raises(ValidationError) as caught:
        create_source(by=bob_actor, name="News", feed_url=url)
    assert "feed_url" in caught.value.message_dict


@pytest.mark.django_db
def test_a_feed_is_read_by_one_source_only(feed, bob_actor):
    with pytest.raises(ValidationError) as caught:
        create_source(by=bob_actor, name="Again", feed_url="https://example.com/feed")
    assert "feed_url" in caught.value.message_dict


@pytest.mark.django_db
def test_a_feed_and_the_whole_folder_go_together(feed, bob_actor):
    assert create_source(by=bob_actor, name="All", folder=".").kind == "folder"


@pytest.mark.django_db
def test_changes_of_the_config_keep_the_rest(feed, bob_actor):
    update_source(feed, by=bob_actor, config={"language": "de", "tags": ["a"]})
    update_source(feed, by=bob_actor, config={"tags": []})
    assert (read_config(feed.config).language, read_config(feed.config).tags) == ("de", ())


@pytest.mark.django_db
def test_a_source_keeps_its_kind(feed, bob_actor):
    update_source(feed, by=bob_actor, folder="spring")
    assert (feed.folder, feed.feed_url) == ("", "https://example.com/feed")
