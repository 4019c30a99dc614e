import csv
import io
import json
from datetime import UTC, datetime

import openpyxl
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from campaigns.export_answers import wanted_posts
from campaigns.exports import COLUMNS, as_csv, as_json, as_xlsx, export_posts
from campaigns.imports.services import check_import, count_fates, create_import
from campaigns.models import Delivery, LivePart, Post
from campaigns.post_queries import PostFilter
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_campaign, create_post, share_campaign
from tests.campaigns.cast import add_asset, add_connection, add_post, mark_published

pytestmark = pytest.mark.django_db
FORMULAS = ["=1+1", "+49 30", "-5 %", "@name hi", "\tindented", "'=1+1", "''@x", "'quoted'"]


def csv_of(posts, by) -> list[dict[str, str]]:
    text = "".join(as_csv(export_posts(posts, by=by)))
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def export(vic_actor):
    """What somebody who may only look gets: the lines of the CSV by column."""
    return lambda: csv_of(wanted_posts(vic_actor, PostFilter()), vic_actor)


@pytest.fixture
def rich(in_workspace, bob_actor, roastery, cafe) -> Post:
    """A thread with files, an own text for one account, and two times."""
    first, second = add_asset(in_workspace, "spring/a.png"), add_asset(in_workspace, "b c.png")
    draft = PostDraft(
        parts=(
            PartDraft("One\n---\nstill one", (MediaDraft(first.pk, "Cup"), MediaDraft(second.pk))),
            PartDraft("Two"),
            PartDraft("Three", (MediaDraft(second.pk, "Bag"),)),
        ),
        title="Name",
        campaign=create_campaign(by=bob_actor, name="Spring"),
        made_with_ai=True,
        connections=(roastery.pk, cafe.pk),
        overrides={cafe.pk: ["Eins", None, None]},
        tags=("x", "y"),
        language="de",
    )
    post = create_post(draft, by=bob_actor)
    Delivery.objects.filter(connection=roastery).update(scheduled_at=datetime(2027, 1, 5, 8, tzinfo=UTC))
    Delivery.objects.filter(connection=cafe).update(scheduled_at=datetime(2027, 10, 31, 1, 30, tzinfo=UTC))
    return post


# --- lines ------------------------------------------------------------------------------------------------


def test_every_account_of_a_post_is_a_line(rich, export):
    first, second = export()
    assert first["text"] == "One\n\\---\nstill one\n---\nTwo\n---\nThree"
    assert second["text"].startswith("Eins\n---\nTwo")
    assert (first["channel"], first["time"], first["timezone"]) == ("x:@roastery", "2027-01-05 09:00", "Europe/Berlin")
    assert first["media"] == "spring/a.png; b c.png ---  --- b c.png"
    assert (first["campaign"], first["tags"], first["made_with_ai"]) == ("Spring", "x, y", "yes")


def test_of_an_hour_that_comes_twice_the_second_is_told_apart(rich, export):
    assert export()[1]["time"] == "2027-10-31 02:30+01:00"


def test_results_stand_beside_the_plan(in_workspace, bob_actor, roastery, export):
    post = add_post(bob_actor, roastery)
    mark_published(post)
    row = post.deliveries.get()
    Delivery.objects.update(published_at=datetime(2026, 7, 1, 10, 0, 5, tzinfo=UTC))
    part = {"position": 0, "content_hash": "x", "remote_id": "7", "url": "https://x.com/i/status/7"}
    LivePart.objects.create(workspace=in_workspace, delivery=row, connection=roastery, **part)
    (line,) = export()
    assert (line["state"], line["published_at"], line["url"]) == (
        *("published", "2026-07-01 12:00:05", "https://x.com/i/status/7"),
    )


def test_a_draft_without_an_account_is_a_line(bob_actor, in_workspace, export):
    post = add_post(bob_actor, text="Idea")
    (line,) = export()
    assert (line["external_id"], line["channel"], line["text"], line["state"]) == (str(post.pk), "", "Idea", "")


def test_a_file_name_of_two_files_is_its_id(bob_actor, in_workspace, export):
    one, _ = add_asset(in_workspace, "a/hero.png"), add_asset(in_workspace, "b/hero.png")
    create_post(PostDraft(parts=(PartDraft("Hi", (MediaDraft(one.pk),)),)), by=bob_actor)
    assert export()[0]["media"] == str(one.pk)


def test_lines_cost_the_same_few_queries(bob_actor, roastery, export):
    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            export()
        return len(queries)

    for _ in range(3):
        add_post(bob_actor, roastery)
    few = count()
    for _ in range(10):
        add_post(bob_actor, roastery)
    assert count() == few


# --- formulas ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FORMULAS[:5])
def test_no_cell_of_a_csv_is_a_formula(bob_actor, in_workspace, export, text):
    add_post(bob_actor, text=text)
    assert all(cell[:1] not in {"=", "+", "-", "@", "\t", "\r"} for cell in export()[0].values())


@pytest.mark.parametrize("text", FORMULAS[:4])
def test_no_cell_of_a_workbook_is_a_formula(bob_actor, in_workspace, vic_actor, text):
    add_post(bob_actor, text=text)
    file = as_xlsx(export_posts(Post.objects.all(), by=vic_actor))
    cell = openpyxl.load_workbook(file).active.cell(row=2, column=COLUMNS.index("text") + 1)
    assert (cell.data_type, cell.value) == ("s", text)


def test_characters_that_workbooks_refuse_are_left_out(bob_actor, in_workspace, vic_actor):
    add_post(bob_actor, text="a\x0bb")
    file = as_xlsx(export_posts(Post.objects.all(), by=vic_actor))
    assert openpyxl.load_workbook(file).active.cell(row=2, column=3).value == "ab"


# --- there and back ---------------------------------------------------------------------------------------


def check_again(content: bytes, name: str, by) -> dict[str, int]:
    return count_fates(check_import(create_import(name, content, by=by), by=by))


def test_an_exported_plan_imported_again_changes_nothing(rich, bob_actor, roastery, in_workspace):
    for text in FORMULAS:
        add_post(bob_actor, roastery, text=text)
    add_post(bob_actor, text="Idea")
    mark_published(add_post(bob_actor, roastery, text="Live"))
    export = export_posts(Post.objects.all(), by=bob_actor)
    for content, name in (("".join(as_csv(export)).encode(), "a.csv"), (as_xlsx(export).read(), "a.xlsx")):
        counts = check_again(content, name, bob_actor)
        assert counts == {"create": 0, "update": 0, "same": 12, "skip": 0, "error": 0}


def test_json_is_the_same_as_the_table(rich, vic_actor, export):
    assert json.loads("".join(as_json(export_posts(Post.objects.all(), by=vic_actor)))) == export()


def test_an_empty_export_is_whole(in_workspace, vic_actor):
    none = export_posts(Post.objects.all(), by=vic_actor)
    assert json.loads("".join(as_json(none))) == []
    assert "".join(as_csv(none)).count("\n") == 1


# --- which posts ------------------------------------------------------------------------------------------


def names(client, **query) -> list[str]:
    answer = client.get("/export", query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return sorted(line["text"] for line in csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def three(bob_actor, roastery, cafe, campaign) -> None:
    add_post(bob_actor, roastery, text="One", campaign=campaign)
    mark_published(add_post(bob_actor, cafe, text="Two"))
    add_post(bob_actor, text="Three")
    Delivery.objects.filter(connection=roastery).update(scheduled_at=datetime(2027, 1, 5, 23, 30, tzinfo=UTC))


def test_the_filters_of_the_list_are_kept(three, vic_client, campaign, cafe):
    assert names(vic_client) == ["One", "Three", "Two"]
    assert names(vic_client, q="thr") == ["Three"]
    assert names(vic_client, tab="published") == ["Two"]
    assert names(vic_client, campaign=str(campaign.pk)) == ["One"]
    assert names(vic_client, connection=str(cafe.pk)) == ["Two"]


def test_the_filters_of_the_calendar_are_kept(three, vic_client):
    assert names(vic_client, state="published") == ["Two"]
    assert names(vic_client, **{"from": "2027-01-06", "to": "2027-01-06"}) == ["One"]
    assert names(vic_client, **{"to": "2027-01-05"}) == ["Two"]


def test_filters_that_make_no_sense_are_none(three, vic_client):
    wrong = {"tab": "x", "campaign": "x", "state": "x", "from": "x", "to": "9999-12-31", "as": "x", "q": "\x00"}
    assert names(vic_client, **wrong) == ["One", "Three", "Two"]


@pytest.mark.parametrize(("form", "kind"), [("csv", "text/csv"), ("json", "application/json"), ("xlsx", "spreadsheet")])
def test_a_file_says_what_it_is(three, vic_client, form, kind):
    answer = vic_client.get("/export", {"as": form})
    assert kind in answer.headers["Content-Type"]
    assert f'.{form}"' in answer.headers["Content-Disposition"]
    answer.close()


# --- who --------------------------------------------------------------------------------------------------


def test_a_guest_gets_only_what_is_shared(three, gwen_client, gwen, campaign, alice_actor):
    assert names(gwen_client) == []
    share_campaign(campaign, gwen, by=alice_actor)
    assert names(gwen_client) == ["One"]


def test_a_guest_is_not_told_problems_of_the_engine(three, gwen_actor, gwen, campaign, alice_actor):
    share_campaign(campaign, gwen, by=alice_actor)
    Delivery.objects.update(problem_text="secret")
    assert [line["problem"] for line in csv_of(wanted_posts(gwen_actor, PostFilter()), gwen_actor)] == [""]


def test_a_stranger_gets_nothing_of_ours(three, charlie_client):
    assert names(charlie_client) == []


def test_nobody_gets_nothing(client):
    assert client.get("/export").status_code == 302


# --- API --------------------------------------------------------------------------------------------------


def test_the_api_exports_with_filters(three, api, vic):
    answer = api(vic).get("/api/export", {"as": "json", "state": "published"})
    body = json.loads(b"".join(answer.streaming_content))
    assert [line["text"] for line in body] == ["Two"]


@pytest.mark.parametrize(
    "query", [{"as": "pdf"}, {"tab": "x"}, {"from": "soon"}, {"to": "9999-12-31"}, {"campaign": "x"}]
)
def test_the_api_names_wrong_filters(api, vic, in_workspace, query):
    answer = api(vic).get("/api/export", query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(query))


def test_a_stranger_gets_nothing_over_the_api(three, api, charlie, other_workspace):
    answer = api(charlie).get("/api/export", {"as": "json"})
    assert json.loads(b"".join(answer.streaming_content)) == []


def test_a_download_holds_no_transaction_open(bob_actor, roastery, monkeypatch):
    monkeypatch.setattr("campaigns.exports.BATCH", 2)
    for number in range(5):
        add_post(bob_actor, roastery, text=f"Text {number}")
    assert len(list(export_posts(Post.objects.all(), by=bob_actor).lines())) == 5


def test_posts_that_vanish_during_the_download_are_left_out(bob_actor, in_workspace):
    add_post(bob_actor, add_connection(in_workspace, "a"))
    export = export_posts(Post.objects.all(), by=bob_actor)
    Post.objects.all().delete()
    assert list(export.lines()) == []
