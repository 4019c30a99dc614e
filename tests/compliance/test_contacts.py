"""Contacts: what they may hold, how they come in from a file, and who may do that."""

from contextlib import suppress

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Event
from accounts.scope import workspace_scope
from compliance.contacts import create_contact, get_contact, restrict_contact, search_contacts, update_contact
from compliance.contacts_import import check_import, count_fates, import_contacts
from compliance.models import Contact

pytestmark = pytest.mark.django_db
MISSING = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def mei(in_workspace, bob_actor) -> Contact:
    return create_contact(
        by=bob_actor, name="Mei", email="mei@example.org", network="x", handle="mei", remote_id="7", language="zh"
    )


def trail() -> list[tuple[str, dict]]:
    entries = AuditEntry.objects.select_related("detail").order_by("number")
    return [(entry.action, entry.detail.data) for entry in entries if entry.object_kind == "contact"]


# --- one contact ------------------------------------------------------------------------------------------------


def test_fields_are_stored_in_one_form(in_workspace, bob_actor):
    contact = create_contact(
        by=bob_actor,
        name="  Mei\n Lin ",
        email=" Mei@Example.ORG ",
        network="X",
        handle="@mei",
        country="cn",
        language="ZH-Hans",
        notes="\n likes  beans\0 ",
    )
    stored = Contact.objects.get(pk=contact.pk)
    assert (stored.name, stored.email, stored.network, stored.handle) == ("Mei Lin", "mei@example.org", "x", "mei")
    assert (stored.country, stored.language, stored.notes) == ("CN", "zh-Hans", "likes  beans")
    assert stored.created_by == bob_actor.user


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"notes": "only notes"}, "name"),
        ({"email": "nobody"}, "email"),
        ({"name": "x" * 121}, "name"),
        ({"name": "A", "country": "DEU"}, "country"),
        ({"name": "A", "country": "1A"}, "country"),
        ({"name": "A", "language": "english"}, "language"),
        ({"handle": "a"}, "network"),
        ({"handle": "a", "network": "a b"}, "network"),
        ({"name": "A", "notes": "x" * 5001}, "notes"),
    ],
)
def test_what_makes_no_contact_is_refused_beside_its_field(in_workspace, bob_actor, fields, field):
    with pytest.raises(ValidationError) as refusal:
        create_contact(by=bob_actor, **fields)
    assert field in refusal.value.message_dict
    assert not Contact.objects.exists()
    assert trail() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"email": "MEI@example.org"}, "email"), ({"network": "x", "remote_id": "7"}, "remote_id")],
)
def test_a_person_is_there_once(mei, bob_actor, fields, field):
    with pytest.raises(ValidationError) as refusal:
        create_contact(by=bob_actor, **fields)
    assert field in refusal.value.message_dict
    assert Contact.objects.count() == 1


def test_the_same_id_on_another_network_is_another_person(mei, bob_actor):
    assert create_contact(by=bob_actor, network="telegram", remote_id="7")


def test_two_workspaces_may_know_the_same_person(mei, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        assert create_contact(by=charlie_actor, email="mei@example.org")


def test_the_trail_names_fields_and_no_person(mei, bob_actor):
    update_contact(mei, by=bob_actor, name="Mei Lin", country="cn")
    assert trail() == [
        ("contact.create", {"fields": ["name", "email", "network", "remote_id", "handle", "language"]}),
        ("contact.update", {"fields": ["name", "country"]}),
    ]
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["contact.created", "contact.updated"]


def test_saving_without_a_change_leaves_no_trace(mei, bob_actor):
    update_contact(mei, by=bob_actor, name=" Mei ")
    assert len(trail()) == 1


def test_a_refused_change_changes_nothing(mei, bob_actor):
    with pytest.raises(ValidationError):
        update_contact(mei, by=bob_actor, name="Other", email="nobody")
    mei.refresh_from_db()
    assert (mei.name, mei.email) == ("Mei", "mei@example.org")


def test_a_field_that_is_none_is_a_mistake_of_the_code(mei, bob_actor):
    with pytest.raises(TypeError, match="has_gpc"):
        update_contact(mei, by=bob_actor, has_gpc="1")


def test_a_restriction_is_set_once_and_lifted(mei, bob_actor):
    assert restrict_contact(mei, by=bob_actor)
    assert mei.restricted_at
    assert not restrict_contact(mei, by=bob_actor)
    assert restrict_contact(mei, by=bob_actor, restricted=False)
    assert mei.restricted_at is None
    assert [action for action, _data in trail()] == ["contact.create", "contact.restrict", "contact.unrestrict"]


@pytest.mark.parametrize("words", ["mei", "EXAMPLE", "@mei", "\0ei"])
def test_a_person_is_found_by_a_part_of_what_is_known(mei, vic_actor, words):
    assert list(search_contacts(vic_actor, words)) == [mei]


@pytest.mark.parametrize("words", ["%", "bob", "zh"])
def test_nobody_else_is_found(mei, vic_actor, words):
    assert list(search_contacts(vic_actor, words)) == []


def test_roles(mei, vic_actor, rita_actor, gwen_actor):
    for actor in (vic_actor, rita_actor, gwen_actor):
        for act in (
            lambda by: create_contact(by=by, name="A"),
            lambda by: update_contact(mei, by=by, name="A"),
            lambda by: restrict_contact(mei, by=by),
            lambda by: check_import("name\nA", by=by),
            lambda by: import_contacts("name\nA", by=by),
        ):
            with pytest.raises(PermissionDenied):
                act(actor)
    assert get_contact(vic_actor, mei.pk) == mei
    with pytest.raises(PermissionDenied):
        get_contact(gwen_actor, mei.pk)


def test_a_contact_of_another_workspace_is_missing(mei, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk), pytest.raises(Http404):
        get_contact(charlie_actor, mei.pk)


# --- from a file ------------------------------------------------------------------------------------------------

FILE = """name,E-Mail,network,id,handle,country,unknown
Mei,mei@example.org,,,,cn,x
Jon,jon@example.org,telegram,9,@jon,de,x
,,,,,,
Ann,ann@example,,,,,x
Ann,,x,7,,,x
Jon 2,JON@example.org,,,,,x
Mei,mei@example.org,,,,,
"""


def fates(text: str, by) -> list[tuple[int, str, list[str]]]:
    return [(fate.line, fate.action, fate.changed or fate.messages) for fate in check_import(text, by=by)]


def test_a_dry_run_says_what_comes_of_every_row(mei, bob_actor):
    assert fates(FILE, bob_actor) == [
        (2, "update", ["country"]),
        (3, "create", ["name", "email", "network", "remote_id", "handle", "country"]),
        (5, "error", ["email: Enter a valid email address."]),
        (6, "update", ["name"]),
        (7, "error", ["The same person stands in row 3."]),
        (8, "error", ["The same person stands in row 2."]),
    ]
    assert Contact.objects.count() == 1
    assert Contact.objects.get().country == ""


def test_an_import_does_what_the_dry_run_said(mei, bob_actor):
    done = import_contacts(FILE, by=bob_actor)
    assert count_fates(done) == {"create": 1, "update": 2, "same": 0, "error": 3}
    jon = Contact.objects.get(email="jon@example.org")
    assert (jon.name, jon.network, jon.remote_id, jon.handle, jon.country) == ("Jon", "telegram", "9", "jon", "DE")
    again = count_fates(check_import(FILE, by=bob_actor))
    assert (again["create"], again["same"]) == (0, 2)


def test_an_import_leaves_one_line_in_the_trail(mei, bob_actor):
    import_contacts(FILE, by=bob_actor)
    entry = AuditEntry.objects.select_related("detail").get(action="contact.import")
    assert entry.detail.data == {"create": 1, "update": 2, "same": 0, "error": 3}


def test_a_file_that_changes_nothing_leaves_no_trace(mei, bob_actor):
    import_contacts("email\nmei@example.org\n", by=bob_actor)
    assert not AuditEntry.objects.filter(action="contact.import").exists()


def test_empty_cells_take_nothing_away(mei, bob_actor):
    import_contacts("email,name,language\nmei@example.org,,\n", by=bob_actor)
    mei.refresh_from_db()
    assert (mei.name, mei.language) == ("Mei", "zh")


def test_an_address_and_an_account_of_two_people_are_no_one(mei, bob_actor):
    create_contact(by=bob_actor, email="jon@example.org")
    assert fates("email,network,id\njon@example.org,x,7\n", bob_actor) == [
        (2, "error", ["The address and the account belong to two different contacts."])
    ]


def test_an_import_of_another_workspace_meets_nobody(mei, charlie_actor):
    with workspace_scope(charlie_actor.workspace.pk):
        assert fates(FILE, charlie_actor)[0][1] == "create"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The first row must name the columns"),
        ("\ufeff \n", "The first row must name the columns"),
        ("country\nDE", "The first row must name the columns"),
        ("name", "no rows"),
        ("name,name\nA,B", "Two columns say name"),
        ("name,mail,e-mail\nA,b@c.org,d@e.org", "Two columns say email"),
        ("name\nA,B,C", "more cells"),
        ("name\n" + "A\n" * 5001, "more than 5,000 rows"),
        ("name\n" + "x" * 1_000_001, "larger than"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_words(in_workspace, bob_actor, text, said):
    with pytest.raises(ValidationError) as refusal:
        check_import(text, by=bob_actor)
    assert said in refusal.value.message_dict["file"][0]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffname;email\nMei;mei@example.org",
        "姓名\t邮箱\nMei\tmei@example.org",
        "NAME , Mail\r\nMei,mei@example.org\r\n",
        'email,name\n"mei@example.org","Mei"',
        "name,email\n'=Mei,mei@example.org".replace("'=Mei", "Mei"),
    ],
)
def test_usual_forms_of_the_same_file_are_read_alike(in_workspace, bob_actor, text):
    import_contacts(text, by=bob_actor)
    assert Contact.objects.values_list("name", "email").get() == ("Mei", "mei@example.org")


def test_what_an_export_defused_comes_back_whole(in_workspace, bob_actor):
    import_contacts("name\n'=1+1\n", by=bob_actor)
    assert Contact.objects.get().name == "=1+1"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=120))
def test_no_text_breaks_the_reader(in_workspace, bob_actor, text):
    with suppress(ValidationError):
        check_import("name,email\n" + text, by=bob_actor)


def test_the_number_of_queries_does_not_grow_with_the_rows(mei, bob_actor, django_assert_num_queries):
    rows = "\n".join(f"P{n},p{n}@example.org,x,{n + 100}" for n in range(300))
    with django_assert_num_queries(2):
        check_import(f"name,email,network,id\n{rows}", by=bob_actor)


# --- pages --------------------------------------------------------------------------------------------------------


def html(response) -> str:
    return " ".join(response.content.decode().split())


def test_an_empty_list_leads_to_the_first_one(bob_client, vic_client, in_workspace):
    assert "/contacts/new" in html(bob_client.get("/contacts"))
    assert "Editors of this workspace add them" in html(vic_client.get("/contacts"))


def test_the_list_searches(bob_client, mei):
    assert "mei@example.org" in html(bob_client.get("/contacts?q=MEI"))
    assert "Nobody found" in html(bob_client.get("/contacts?q=jon"))


def test_a_contact_is_added_and_edited_on_its_pages(bob_client, in_workspace):
    response = bob_client.post("/contacts/new", {"name": "<Jon>", "email": "jon@example.org"}, follow=True)
    assert "&lt;Jon&gt;" in html(response)
    contact = Contact.objects.get()
    bob_client.post(f"/contacts/{contact.pk}/edit", {"name": "Jon", "email": "jon@example.org", "country": "de"})
    contact.refresh_from_db()
    assert (contact.name, contact.country) == ("Jon", "DE")


def test_a_refused_form_keeps_what_was_typed(bob_client, mei):
    response = bob_client.post("/contacts/new", {"name": "Jon", "email": "mei@example.org", "notes": "precious"})
    assert response.status_code == 422
    assert "precious" in html(response)
    assert "There is a contact with this address already." in html(response)


def test_an_import_shows_first_and_does_then(bob_client, mei):
    page = html(bob_client.post("/contacts/import", {"text": FILE}))
    assert "1 new" in page
    assert "3 with errors, left out" in page
    assert "jon@example.org" in page
    assert Contact.objects.count() == 1
    response = bob_client.post("/contacts/import", {"text": FILE, "apply": "1"}, follow=True)
    assert "1 added, 2 changed, 3 left out." in html(response)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nMei\n", "1 new"),
        ("name\nMéi".encode("latin-1"), "Save the file as UTF-8"),
        (b"", "file is empty"),
    ],
)
def test_an_uploaded_file_is_read(bob_client, in_workspace, content, said):
    response = bob_client.post("/contacts/import", {"file": SimpleUploadedFile("people.csv", content)})
    assert said in html(response)


def test_an_import_without_a_file_says_what_to_do(bob_client, in_workspace):
    response = bob_client.post("/contacts/import", {})
    assert response.status_code == 422
    assert "Choose a file, or paste its rows." in html(response)


def test_a_restriction_is_set_on_the_page(bob_client, mei):
    page = html(bob_client.post(f"/contacts/{mei.pk}/restrict", {"restricted": "1"}, follow=True))
    assert "data is restricted" in page
    page = html(bob_client.post(f"/contacts/{mei.pk}/restrict", {"restricted": "0"}, follow=True))
    assert "The restriction is lifted." in page


GET_PAGES = ["/contacts", "/contacts/{id}", "/notices"]
EDIT_PAGES = ["/contacts/new", "/contacts/import", "/contacts/{id}/edit"]


def test_viewers_read_and_guests_do_not(vic_client, rita_client, gwen_client, mei):
    for path in GET_PAGES:
        address = path.format(id=mei.pk)
        assert [client.get(address).status_code for client in (vic_client, rita_client, gwen_client)] == [200, 200, 403]
    for path in EDIT_PAGES:
        address = path.format(id=mei.pk)
        assert [client.get(address).status_code for client in (vic_client, rita_client, gwen_client)] == [403] * 3
    assert "/edit" not in html(vic_client.get(f"/contacts/{mei.pk}"))


@pytest.mark.parametrize("path", ["", "/edit", "/restrict", "/consent"])
def test_strangers_find_nothing(charlie_client, mei, path):
    for method in (charlie_client.get, charlie_client.post):
        theirs, missing = method(f"/contacts/{mei.pk}{path}"), method(f"/contacts/{MISSING}{path}")
        assert theirs.status_code == missing.status_code
        assert theirs.status_code in {404, 405}
    assert "Mei" not in html(charlie_client.get("/contacts"))


# --- API ----------------------------------------------------------------------------------------------------------


def test_the_api_adds_lists_reads_and_changes(api, bob, in_workspace):
    client = api(bob)
    made = client.post("/api/contacts", {"name": "Jon", "email": "Jon@example.org"}, format="json")
    assert (made.status_code, made.json()["email"]) == (201, "jon@example.org")
    address = f"/api/contacts/{made.json()['id']}"
    assert client.patch(address, {"country": "de"}, format="json").json()["country"] == "DE"
    assert client.get(address).json()["name"] == "Jon"
    assert [row["name"] for row in client.get("/api/contacts?q=jon@").json()["results"]] == ["Jon"]
    assert client.get("/api/contacts?q=mei").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "name"), ({"email": "x"}, "email"), ({"name": "A", "country": "1"}, "country"), ({"handle": "a"}, "network")],
)
def test_the_api_names_the_field_that_is_wrong(api, bob, in_workspace, body, field):
    answer = api(bob).post("/api/contacts", body, format="json")
    assert (answer.status_code, [*answer.json()["errors"]]) == (400, [field])


def test_the_api_imports_only_when_told(api, bob, mei):
    answer = api(bob).post("/api/contacts/import", {"csv": FILE}, format="json").json()
    assert (answer["dry_run"], answer["counts"]["create"], Contact.objects.count()) == (True, 1, 1)
    assert answer["rows"][2] == {
        "line": 5,
        "action": "error",
        "who": "Ann",
        "changed": [],
        "messages": ["email: Enter a valid email address."],
    }
    api(bob).post("/api/contacts/import", {"csv": FILE, "dry_run": False}, format="json")
    assert Contact.objects.count() == 2


def test_roles_at_the_api(api, api_key, vic, gwen, mei):
    for caller, read in ((vic, 200), (gwen, 403), (api_key("read"), 200)):
        client = api(caller)
        assert client.get("/api/contacts").status_code == read
        assert client.get(f"/api/contacts/{mei.pk}").status_code == read
        assert client.post("/api/contacts", {"name": "A"}, format="json").status_code == 403
        assert client.patch(f"/api/contacts/{mei.pk}", {"name": "A"}, format="json").status_code == 403
        assert client.post("/api/contacts/import", {"csv": FILE}, format="json").status_code == 403
    assert api(api_key("write")).post("/api/contacts", {"name": "A"}, format="json").status_code == 201


def test_the_api_knows_no_contact_of_others(api, charlie, other_workspace, mei):
    client = api(charlie)
    for path in ("", "/consents", "/may-contact?purpose=a&channel=email"):
        theirs, missing = (client.get(f"/api/contacts/{pk}{path}") for pk in (mei.pk, MISSING))
        assert (theirs.status_code, theirs.content) == (404, missing.content)
    for method in (client.patch, client.post):
        path = "/consents" if method == client.post else ""
        theirs, missing = (method(f"/api/contacts/{pk}{path}", {}, format="json") for pk in (mei.pk, MISSING))
        assert (theirs.status_code, theirs.content) == (404, missing.content)
