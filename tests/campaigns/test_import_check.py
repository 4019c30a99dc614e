from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.scope import workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.imports.services import check_import, count_fates, create_import, delete_import, start_import
from campaigns.models import Campaign, Delivery, Import, Post
from social.models import Connection
from tests.campaigns.cast import add_asset, add_connection, add_post, mark_published

pytestmark = pytest.mark.django_db
SAMPLE = Path(__file__).resolve().parents[3] / "shared/samples/plan.csv"


@pytest.fixture
def roast(in_workspace):
    return add_connection(in_workspace, "demo_roastery")


@pytest.fixture
def check(roast, bob_actor):
    """The import of these lines, checked."""

    def run(*lines: str, mapping: dict | None = None) -> Import:
        imported = create_import("plan.csv", "\n".join(lines).encode(), by=bob_actor)
        return check_import(imported, by=bob_actor, mapping=mapping)

    return run


@pytest.fixture
def fate(check):
    """Action and sentences of the first row under `header`."""

    def of(header: str, row: str) -> tuple[str, str]:
        first = check(header, row).fates[0]
        return first["action"], " ".join(first["messages"])

    return of


def actions(imported: Import) -> list[str]:
    return [fate["action"] for fate in imported.fates]


# --- what a row says --------------------------------------------------------------------------------------


def test_a_good_row_is_created_and_a_dry_run_makes_nothing(check):
    imported = check("id,channel,text,time", "1,x:@demo_roastery,Hello,2027-01-05 09:00")
    assert (actions(imported), imported.status) == (["create"], "checked")
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["x:@demo_roastery", "@demo_roastery", "demo_roastery", "X:Demo_Roastery", "x: @demo_roastery", "Demo_Roastery"],
)
def test_an_account_is_found_by_what_people_call_it(fate, name):
    assert fate("text,channel", f"Hi,{name}") == ("create", "")


def test_an_account_is_found_by_its_id(fate, roast):
    assert fate("text,channel", f"Hi,{roast.pk}")[0] == "create"


def test_a_network_we_do_not_have_is_named(fate):
    action, text = fate("text,channel", "Hi,mastodon:@nobody")
    assert action == "error"
    assert "“mastodon:@nobody”: we publish to X, Telegram only." in text


def test_an_account_that_is_not_connected_is_named(fate):
    assert "There is no such account here" in fate("text,channel", "Hi,telegram:@demo_roastery")[1]


def test_a_name_of_two_accounts_needs_its_network(fate, in_workspace):
    add_connection(in_workspace, "other", name="Demo_Roastery")
    assert "write the network before it" in fate("text,channel", "Hi,Demo_Roastery")[1]


def test_accounts_of_strangers_do_not_exist(fate, charlie_actor):

    with workspace_scope(charlie_actor.workspace.pk):
        add_connection(charlie_actor.workspace, "bakery")
    assert "There is no such account here" in fate("text,channel", "Hi,x:@bakery")[1]


def test_a_row_without_text_and_file_is_an_error(fate):
    assert "nothing to post" in fate("text,channel", ",@demo_roastery")[1]


def test_a_row_without_an_account_is_a_draft(fate):
    assert fate("text,channel", "Hi,") == ("create", "")


def test_a_time_without_an_account_is_not_planned(fate):
    assert "it is not planned" in fate("text,time", "Hi,2027-01-05 09:00")[1]


def test_a_missing_file_is_named(fate):
    assert "There is no file “missing.jpg” in the library" in fate("text,media", "Hi,missing.jpg")[1]


@pytest.mark.parametrize("folder", ["spring/", "", "other/"])
def test_a_file_is_found_with_and_without_its_folders(fate, in_workspace, folder):
    add_asset(in_workspace, "spring/brew guide (final).png")
    assert fate("text,media", f"Hi,{folder}brew guide (final).png")[0] == "create"


def test_a_file_name_of_two_files_is_an_error(fate, in_workspace):
    add_asset(in_workspace, "a/hero.jpg")
    add_asset(in_workspace, "b/hero.jpg")
    assert "Several files in the library" in fate("text,media", "Hi,hero.jpg")[1]
    assert fate("text,media", "Hi,b/hero.jpg")[0] == "create"


def test_a_bad_time_is_an_error(fate):
    assert "“next friday” is no date" in fate("text,time", "Hi,next friday")[1]


def test_an_unknown_zone_is_an_error(fate):
    assert "“Mars/Olympus” is not a time zone" in fate("text,time,timezone", "Hi,2027-01-05 09:00,Mars/Olympus")[1]


def test_a_past_time_is_an_error(fate):
    assert "has passed" in fate("text,channel,time", "Hi,@demo_roastery,2020-01-05 09:00")[1]


def test_a_time_that_the_clocks_skip_is_explained_and_kept(fate):
    action, text = fate("text,channel,time,timezone", "Hi,@demo_roastery,2027-03-28 02:30,Europe/Berlin")
    assert action == "create"
    assert "02:30 does not exist" in text


def test_all_mistakes_of_a_row_are_told_at_once(check):
    (fate,) = check("text,channel,time,media", "Hi,@nobody,soon,missing.jpg").fates
    assert len(fate["messages"]) == 3


def test_a_new_campaign_is_announced(fate, in_workspace):
    assert "it is made" in fate("text,campaign", "Hi,Spring launch")[1]
    Campaign.objects.create(workspace=in_workspace, name="Spring Launch")
    assert fate("text,campaign", "Hi,Spring launch") == ("create", "")


def test_what_the_network_would_refuse_is_told(fate):
    action, text = fate("text,channel", f"{'a' * 281},@demo_roastery")
    assert (action, text) == ("create", "@demo_roastery: The text is 1 over the limit of 280 characters.")


@pytest.mark.parametrize(
    ("header", "row", "why"),
    [
        ("text,tags", "Hi,!!!", "cannot be a tag"),
        ("text,language", "Hi,German please", "is no language code"),
        ("text,made with ai", "Hi,perhaps", "write yes or no"),
        ("text,title", f"Hi,{'a' * 201}", "more than 200 characters"),
        ("text,id", f"Hi,{'a' * 121}", "more than 120 characters"),
    ],
)
def test_a_cell_that_cannot_be_used_says_why(fate, header, row, why):
    action, text = fate(header, row)
    assert action == "error"
    assert why in text


def test_more_alt_texts_than_files_are_an_error(fate, in_workspace):
    add_asset(in_workspace, "a.png")
    add_asset(in_workspace, "b.png")
    assert "more alt texts (3) than files (2)" in fate("text,media,alt text", "Hi,a.png;b.png,one|two|three")[1]


# --- one id -----------------------------------------------------------------------------------------------


def test_of_two_rows_with_one_id_and_account_the_last_counts(check):
    imported = check("id,channel,text", "1,@demo_roastery,First", "2,@demo_roastery,Other", "1,@demo_roastery,Last")
    assert actions(imported) == ["skip", "create", "create"]
    assert imported.fates[0]["messages"] == ["Row 4 has the same id and comes later, so that one counts."]


def test_a_broken_last_row_does_not_take_the_first_one_with_it(check):
    assert actions(check("id,channel,text", "1,@demo_roastery,First", "1,@nobody,Last")) == ["create", "error"]


def test_rows_of_one_id_for_several_accounts_are_one_post(check, in_workspace):
    add_connection(in_workspace, "second")
    imported = check("id,channel,text", "1,@demo_roastery,Here", "1,@second,There")
    assert actions(imported) == ["create", "create"]


def test_rows_of_one_post_must_agree_on_what_is_shared(check, in_workspace):
    add_connection(in_workspace, "second")
    imported = check("id,channel,text,title", "1,@demo_roastery,Here,A", "1,@second,There,B")
    assert actions(imported) == ["error", "create"]
    assert "differs in: title" in imported.fates[0]["messages"][0]


def test_the_same_row_twice_is_one_post(check):
    assert actions(check("channel,text", "@demo_roastery,Hi", "@demo_roastery,Hi")) == ["skip", "create"]


# --- against what is there --------------------------------------------------------------------------------


@pytest.fixture
def known(roast, bob_actor) -> Post:
    return add_post(bob_actor, roast, text="Before", external_id="1")


def test_a_post_that_is_as_the_row_says_is_left_alone(fate, known):
    assert fate("id,channel,text", "1,@demo_roastery,Before") == ("same", "")


def test_what_would_change_is_named(fate, known):
    action, text = fate(
        "id,channel,text,time,title,tags,language,ai", "1,@demo_roastery,After,2027-01-05 09:00,New,a,de,yes"
    )
    assert action == "update"
    assert text == "Changes: text, title, tags, language, AI label, time."


def test_a_column_that_is_not_there_changes_nothing(fate, known):
    assert fate("id,text", "1,Before")[0] == "same"


def test_empty_cells_of_account_and_time_change_nothing(fate, known):
    Delivery.objects.update(scheduled_at=datetime(2027, 1, 5, 9, tzinfo=UTC))
    assert fate("id,text,channel,time", "1,Before,,")[0] == "same"


def test_a_published_post_is_never_changed(fate, known):
    mark_published(known)
    action, text = fate("id,channel,text", "1,@demo_roastery,After")
    assert (action, text) == ("skip", "It is published or on its way, so an import leaves it as it is.")


def test_a_planned_time_that_has_passed_is_no_error_when_it_stays(fate, known):
    Delivery.objects.update(scheduled_at=datetime(2020, 1, 5, 8, tzinfo=UTC))
    row = "1,@demo_roastery,{},2020-01-05 08:00,UTC"
    assert fate("id,channel,text,time,zone", row.format("Before"))[0] == "same"
    assert fate("id,channel,text,time,zone", row.format("After"))[0] == "update"


def test_a_post_is_found_by_its_own_id(fate, roast, bob_actor):
    post = add_post(bob_actor, roast, text="Before")
    assert fate("id,text", f"{post.pk},After")[0] == "update"


def test_a_post_of_strangers_is_not_found_by_its_id(fate, charlie_actor):

    with workspace_scope(charlie_actor.workspace.pk):
        post = add_post(charlie_actor, text="Theirs", external_id="1")
    assert fate("id,text", f"{post.pk},After")[0] == "create"
    assert fate("id,text", "1,After")[0] == "create"


# --- the act ----------------------------------------------------------------------------------------------


def test_columns_are_remembered_for_files_alike(check):
    check("wer,was", "@demo_roastery,Hi", mapping={"channel": "wer", "text": "was"})
    again = check("Was,Wer", "Hi,@demo_roastery")
    assert again.mapping == {"channel": "Wer", "text": "Was"}


def test_a_check_may_be_repeated_with_other_columns(check, bob_actor):
    imported = check("a,b,c", "Hi,There,x", mapping={"text": "a"})
    again = check_import(imported, by=bob_actor, mapping={"text": "b"}, time_zone="Asia/Shanghai")
    assert (again.mapping, again.time_zone) == ({"text": "b"}, "Asia/Shanghai")


def test_without_a_column_for_texts_nothing_is_checked(check):
    with pytest.raises(ValidationError):
        check("weather,mood", "rain,good")


def test_an_unknown_zone_for_the_file_is_refused(roast, bob_actor):
    imported = create_import("plan.csv", b"text\nhi\n", by=bob_actor)
    with pytest.raises(ValidationError) as caught:
        check_import(imported, by=bob_actor, time_zone="Mars/Olympus")
    assert "time_zone" in caught.value.message_dict


def test_an_import_that_was_begun_is_not_checked_again(check, bob_actor):
    imported = start_import(check("text", "Hi"), by=bob_actor)
    with pytest.raises(NotAllowedNow):
        check_import(imported, by=bob_actor)
    with pytest.raises(NotAllowedNow):
        delete_import(imported, by=bob_actor)


def test_an_import_is_checked_before_it_starts(roast, bob_actor):
    with pytest.raises(NotAllowedNow):
        start_import(create_import("plan.csv", b"text\nhi\n", by=bob_actor), by=bob_actor)


def test_a_viewer_imports_nothing(check, vic_actor):
    imported = check("text", "Hi")
    for act in (check_import, start_import, delete_import):
        with pytest.raises(PermissionDenied):
            act(imported, by=vic_actor)
    with pytest.raises(PermissionDenied):
        create_import("plan.csv", b"text\nhi\n", by=vic_actor)


def test_a_checked_file_can_be_forgotten(check, bob_actor):
    delete_import(check("text", "Hi"), by=bob_actor)
    assert not Import.objects.exists()


# --- the sample -------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample plan is not here")
def test_every_row_of_the_sample_has_its_fate(roast, in_workspace, bob_actor):
    channel = add_connection(in_workspace, "demo_roastery_channel", scopes=[])
    Connection.objects.filter(pk=channel.pk).update(network="telegram")
    for name in ("hero.jpg", "brew guide (final).png", "海报.jpg"):
        add_asset(in_workspace, name)
    imported = check_import(create_import("plan.csv", SAMPLE.read_bytes(), by=bob_actor), by=bob_actor)
    told = [(fate["action"], " ".join(fate["messages"])) for fate in imported.fates]
    assert [action for action, _ in told] == [
        *("skip", "create", "create", "error", "error", "error", "error", "error", "error", "create"),
    ]
    assert "Row 11 has the same id" in told[0][1]
    assert "we publish to X, Telegram only" in told[4][1]
    assert "nothing to post" in told[5][1]
    assert "no file “missing.jpg”" in told[6][1]
    assert "“next friday” is no date" in told[7][1]
    assert "“Mars/Olympus” is not a time zone" in told[8][1]
    assert count_fates(imported) == {"create": 3, "update": 0, "same": 0, "skip": 1, "error": 6}
