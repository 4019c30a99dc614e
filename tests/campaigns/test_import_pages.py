import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campaigns.imports.applying import apply_import
from campaigns.imports.services import check_import, create_import, start_import
from campaigns.models import Import, Post
from marketing.celery import app
from tests.campaigns.cast import add_connection

pytestmark = pytest.mark.django_db
PLAN = "id,channel,text\n1,@roastery,Hello\n2,@nobody,=1+1\n"
LIST = "/imports"


@pytest.fixture
def imported(in_workspace, bob_actor) -> Import:
    add_connection(in_workspace, "roastery")
    return create_import("plan.csv", PLAN.encode(), by=bob_actor)


@pytest.fixture
def checked(imported, bob_actor) -> Import:
    return check_import(imported, by=bob_actor)


@pytest.fixture
def applied(checked, bob_actor) -> Import:
    start_import(checked, by=bob_actor)
    apply_import(checked.workspace_id, checked.pk)
    return Import.objects.get()


def address(imported: Import, act: str = "") -> str:
    return f"/imports/{imported.pk}{act}"


def upload(client: Client, content: bytes | str = PLAN, name: str = "plan.csv"):
    raw = content.encode() if isinstance(content, str) else content
    return client.post(LIST, {"file": SimpleUploadedFile(name, raw)})


# --- upload -----------------------------------------------------------------------------------------------


def test_an_uploaded_plan_leads_to_its_columns(bob_client: Client, in_workspace):
    answer = upload(bob_client)
    html = bob_client.get(address(Import.objects.get())).content.decode()
    assert answer.status_code == 302
    assert '<option value="channel" selected>channel</option>' in html
    assert "Hello" in html


@pytest.mark.parametrize("content", ["", "text\n", b"PK\x03\x04 broken"])
def test_a_file_that_cannot_be_used_says_why(bob_client: Client, in_workspace, content):
    answer = upload(bob_client, content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Import.objects.exists()


def test_no_file_says_so(bob_client: Client, in_workspace):
    answer = bob_client.post(LIST)
    assert (answer.status_code, "Choose a file first." in answer.content.decode()) == (422, True)


def test_the_list_counts_the_fates(bob_client: Client, checked):
    html = bob_client.get(LIST).content.decode()
    assert "plan.csv" in html
    assert "Checked" in html


# --- columns ----------------------------------------------------------------------------------------------


def test_chosen_columns_are_checked(bob_client: Client, imported):
    given = {"text": "text", "channel": "channel", "external_id": "id", "time_zone": "Asia/Shanghai"}
    html = bob_client.post(address(imported, "/columns"), given, follow=True).content.decode()
    assert "Nothing has been made of it yet." in html
    assert "“@nobody”: There is no such account here." in html
    assert Import.objects.get().time_zone == "Asia/Shanghai"


def test_a_choice_that_makes_no_sense_is_told_beside_its_field(bob_client: Client, imported):
    answer = bob_client.post(address(imported, "/columns"), {"title": "text", "time_zone": "UTC"})
    assert answer.status_code == 422
    assert "Choose the column with the texts." in answer.content.decode()


def test_columns_can_be_chosen_anew_after_the_check(bob_client: Client, checked):
    assert "Check every row" in bob_client.get(address(checked, "?columns")).content.decode()


# --- fates ------------------------------------------------------------------------------------------------


def test_fates_can_be_filtered(bob_client: Client, checked):
    html = bob_client.get(address(checked, "?action=error")).content.decode()
    assert "=1+1" in html
    assert "Hello" not in html


def test_many_rows_come_in_pages(bob_client: Client, in_workspace, bob_actor):
    lines = "\n".join(["text", *[f"Text number {number}." for number in range(60)]])
    imported = check_import(create_import("plan.csv", lines.encode(), by=bob_actor), by=bob_actor)
    html = bob_client.get(address(imported, "?page=2")).content.decode()
    assert "Text number 59." in html
    assert "Text number 1." not in html


def test_words_of_a_file_cannot_break_out_of_the_page(bob_client: Client, in_workspace, bob_actor):
    content = b"<b>id</b>,text\n<script>,<img src=x onerror=alert(1)>\n"
    imported = create_import("<script>.csv", content, by=bob_actor)
    html = bob_client.get(address(imported)).content.decode()
    check_import(imported, by=bob_actor)
    html += bob_client.get(address(imported)).content.decode()
    assert "<img src=x" not in html
    assert "<script>." not in html


def test_applying_goes_to_the_background_and_makes_posts(
    bob_client: Client, checked, django_capture_on_commit_callbacks
):
    app.conf.task_always_eager = True
    try:
        with django_capture_on_commit_callbacks(execute=True):
            html = bob_client.post(address(checked, "/apply"), follow=True).content.decode()
    finally:
        app.conf.task_always_eager = False
    assert "Being imported." in html or "Imported" in html
    assert Post.objects.get().external_id == "1"


def test_progress_is_asked_for_while_it_is_applied(bob_client: Client, checked, bob_actor):
    start_import(checked, by=bob_actor)
    html = bob_client.get(address(checked)).content.decode()
    assert 'hx-trigger="every 2s"' in html
    assert "0 of 2 rows are settled" in html


def test_an_import_that_is_done_links_its_posts(bob_client: Client, applied):
    html = bob_client.get(address(applied)).content.decode()
    assert f"/posts/{Post.objects.get().pk}" in html
    assert "hx-trigger" not in html.split('id="import"')[1].split(">")[0]


def test_an_unchecked_import_cannot_be_applied(bob_client: Client, imported):
    assert bob_client.post(address(imported, "/apply")).status_code == 409


def test_errors_come_as_a_file_without_formulas(bob_client: Client, checked):
    answer = bob_client.get(address(checked, "/errors.csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "Row,Reason,id,channel,text"
    assert text.splitlines()[1].startswith("3,")
    assert text.splitlines()[1].endswith(",'@nobody,'=1+1")


def test_a_file_is_forgotten_and_its_posts_stay(bob_client: Client, applied):
    bob_client.post(address(applied, "/delete"))
    assert (Import.objects.count(), Post.objects.count()) == (0, 1)


# --- who --------------------------------------------------------------------------------------------------


def test_a_viewer_looks_and_changes_nothing(vic_client: Client, checked):
    assert vic_client.get(address(checked)).status_code == 200
    assert upload(vic_client).status_code == 403
    for act in ("/columns", "/apply", "/delete"):
        assert vic_client.post(address(checked, act)).status_code == 403


def test_a_guest_sees_no_imports(gwen_client: Client, checked):
    assert gwen_client.get(LIST).status_code == 403


@pytest.mark.parametrize("act", ["", "/errors.csv"])
def test_a_strangers_import_is_a_missing_page(charlie_client: Client, checked, act):
    missing = charlie_client.get(f"/imports/{uuid4()}{act}")
    assert charlie_client.get(address(checked, act)).status_code == missing.status_code == 404


# --- API --------------------------------------------------------------------------------------------------


def send(client, content: str = PLAN, **fields):
    file = io.BytesIO(content.encode())
    file.name = "plan.csv"
    return client.post("/api/imports", {"file": file, **fields}, format="multipart", **fields.pop("headers", {}))


@pytest.fixture
def bob_api(api, bob, in_workspace):
    add_connection(in_workspace, "roastery")
    return api(bob)


def test_the_api_answers_each_rows_fate(bob_api):
    answer = send(bob_api)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["total"], body["counts"]["create"]) == ("checked", 2, 1)
    assert [(row["row"], row["action"]) for row in body["rows"]] == [(2, "create"), (3, "error")]


def test_the_api_takes_a_mapping_and_a_zone(bob_api):
    answer = send(bob_api, "a,b\nHi,There\n", mapping='{"text": "b"}', time_zone="Asia/Shanghai")
    assert (answer.json()["mapping"], answer.json()["time_zone"]) == ({"text": "b"}, "Asia/Shanghai")


def test_columns_that_nobody_knows_wait_for_a_mapping(bob_api):
    body = send(bob_api, "a,b\nHi,There\n").json()
    assert body["status"] == "mapping"
    answer = bob_api.patch(f"/api/imports/{body['id']}", {"mapping": {"text": "a"}}, format="json")
    assert (answer.json()["status"], answer.json()["counts"]["create"]) == ("checked", 1)


@pytest.mark.parametrize("mapping", ["[]", '{"text": 7}', '{"text": "missing"}', "no json"])
def test_a_wrong_mapping_is_refused(bob_api, mapping):
    assert send(bob_api, mapping=mapping).status_code == 400
    assert not Import.objects.exists()


def test_a_wrong_file_is_refused(bob_api):
    assert send(bob_api, "text\n").status_code == 400


def test_rows_are_filtered(bob_api):
    made = send(bob_api).json()["id"]
    answer = bob_api.get(f"/api/imports/{made}", {"action": "error"})
    assert [row["row"] for row in answer.json()["rows"]] == [3]
    assert bob_api.get(f"/api/imports/{made}", {"after": 3}).json()["rows"] == []


def test_an_import_is_applied_over_the_api(bob_api, django_capture_on_commit_callbacks):
    made = send(bob_api).json()["id"]
    with django_capture_on_commit_callbacks():
        answer = bob_api.post(f"/api/imports/{made}/apply")
    assert (answer.status_code, answer.json()["status"]) == (202, "applying")
    imported = Import.objects.get()
    apply_import(imported.workspace_id, imported.pk)
    body = bob_api.get(f"/api/imports/{made}").json()
    assert (body["status"], body["done"]) == ("applied", 2)
    assert body["rows"][0]["post"] == str(Post.objects.get().pk)


def test_a_repeated_upload_is_one_import(bob_api):
    first, second = (
        bob_api.post(
            "/api/imports",
            data=f'--x\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n{PLAN}\r\n--x--\r\n',
            content_type="multipart/form-data; boundary=x",
            HTTP_IDEMPOTENCY_KEY="k",
        )
        for _ in range(2)
    )
    assert first.json()["id"] == second.json()["id"]
    assert Import.objects.count() == 1


def test_an_import_is_forgotten_over_the_api(bob_api):
    made = send(bob_api).json()["id"]
    assert bob_api.delete(f"/api/imports/{made}").status_code == 204
    assert not Import.objects.exists()


def test_a_key_that_may_only_write_cannot_apply(api, api_key, checked):
    client = api(api_key("write"))
    assert client.post(f"/api/imports/{checked.pk}/apply").status_code == 403


def test_a_stranger_finds_no_import(api, charlie, other_workspace, checked):
    assert api(charlie).get(f"/api/imports/{checked.pk}").status_code == 404
