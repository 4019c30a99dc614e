import re

import pytest

from agents.models import Assistant, PromptTemplate, PromptVersion
from agents.prompts.assistants import create_assistant, get_assistant, update_assistant
from agents.prompts.labels import set_label
from agents.prompts.library import shipped_prompts
from agents.prompts.templates import create_template
from agents.prompts.versions import PromptDraft, newest

FORM = {
    "name": "Café",
    "description": "Writes",
    "workflow": "campaign",
    "body": "Write.\r\nFor {{brand}}.",
    "variables": "brand: Who\n",
    "message": "Start",
    "revision": "",
}


@pytest.fixture
def cafe(in_workspace, alice_actor):
    made = create_assistant(
        by=alice_actor,
        name="Café",
        key="cafe",
        draft=PromptDraft("Write for {{brand}}.", {"t": 1}, {"brand": "Who"}, "Begin"),
    )
    update_assistant(made, by=alice_actor, prompt={"body": "Write well for {{brand}}."})
    set_label(made, "production", 1, by=alice_actor)
    return made


def text_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def pages(cafe, alice_actor):
    template = create_template(by=alice_actor, name="Ours", body="Hi {{name}}")
    one = f"/assistants/{cafe.pk}"
    look = ["/assistants", "/assistants?archived", "/assistants/library", "/assistants/built-in/writer", one]
    look += [f"{one}?version=2", f"{one}/diff", f"{one}/diff?from=2&to=1"]
    edit = ["/assistants/new", f"{one}/edit", "/assistants/library/new", f"/assistants/library/{template.pk}"]
    return look, edit


def test_members_look_editors_edit_and_guests_do_neither(pages, alice_client, bob_client, vic_client, gwen_client):
    look, edit = pages
    for path in look:
        assert [c.get(path).status_code for c in (alice_client, bob_client, vic_client)] == [200, 200, 200], path
        assert gwen_client.get(path).status_code == 403
    for path in edit:
        assert [c.get(path).status_code for c in (alice_client, bob_client, vic_client)] == [200, 200, 403], path


def test_every_act_asks_for_its_permission(cafe, vic_client, bob_client, rows):
    one = f"/assistants/{cafe.pk}"
    acts = {
        f"{one}/label": {"label": "staging", "version": "1"},
        f"{one}/unlabel": {"label": "staging"},
        f"{one}/clone": {"name": "Copy"},
        f"{one}/versions/1/rollback": {},
        f"{one}/versions/2/delete": {},
        f"{one}/archive": {},
        f"{one}/restore": {},
        f"{one}/protect": {"label": "production"},
        "/assistants/built-in/writer/customise": {},
    }
    before = rows(lambda: list(Assistant.objects.values_list("revision", flat=True)))
    assert {vic_client.post(path, body).status_code for path, body in acts.items()} == {403}
    assert {vic_client.get(path).status_code for path in acts} == {405}
    assert bob_client.post(f"{one}/protect", {"label": "production"}).status_code == 403
    assert bob_client.post(f"{one}/label", {"label": "production", "version": "2"}).status_code == 403
    assert rows(lambda: list(Assistant.objects.values_list("revision", flat=True))) == before


def test_the_list_shows_own_ones_and_those_built_in(cafe, alice_actor, vic_client):
    page = text_of(vic_client.get("/assistants"))
    assert "production v1" in page
    assert page.count("/assistants/built-in/") == len(shipped_prompts())
    create_assistant(by=alice_actor, name="Writer", key="writer", draft=PromptDraft("Mine"))
    assert text_of(vic_client.get("/assistants")).count("/assistants/built-in/") == len(shipped_prompts()) - 1


def test_an_empty_list_says_what_to_do(bob_client, vic_client):
    assert "Look at the templates" in text_of(bob_client.get("/assistants"))
    assert "Look at the templates" not in text_of(vic_client.get("/assistants"))
    assert "Nothing is archived" in text_of(vic_client.get("/assistants?archived"))


# --- writing ------------------------------------------------------------------------------------------------


def test_an_editor_makes_an_assistant(bob_client, in_workspace):
    assert bob_client.post("/assistants/new", FORM).status_code == 302
    made = Assistant.objects.get()
    version = newest(made)
    assert (made.key, made.workflow, version.body, version.variables, version.message) == (
        "cafe",
        "campaign",
        "Write.\nFor {{brand}}.",
        {"brand": "Who"},
        "Start",
    )


def test_an_edit_makes_a_version_and_keeps_what_the_form_does_not_show(cafe, bob_client):
    edited = FORM | {"variables": "name: Whom\n{{tone}}:\n", "body": "Hi {{name}}, {{tone}}", "revision": cafe.revision}
    assert bob_client.post(f"/assistants/{cafe.pk}/edit", edited).status_code == 302
    version = newest(cafe)
    assert (version.number, version.variables, version.config) == (3, {"name": "Whom", "tone": ""}, {"t": 1})


def test_a_stale_form_saves_nothing_and_keeps_the_text(cafe, bob_client, alice_actor):
    stale = FORM | {"body": "Mine.", "revision": cafe.revision}
    update_assistant(cafe, by=alice_actor, prompt={"body": "Theirs."})
    answer = bob_client.post(f"/assistants/{cafe.pk}/edit", stale)
    assert answer.status_code == 422
    assert "Your text is still here" in text_of(answer)
    assert "Mine." in text_of(answer)
    assert newest(cafe).body == "Theirs."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Hi {{a.b}}", "one plain name"),
        ("{% if %}", "no loops"),
        ("@@@prompt:name=gone@@@", "There is no prompt “gone”"),
        ("key sk-proj-AAAABBBBCCCCDDDDEEEEFFFF", "looks like a key"),
        ("", "has to say something"),
    ],
)
def test_mistakes_are_shown_while_typing_and_refused_when_saving(body, said, bob_client, in_workspace):
    looked = bob_client.post("/assistants/new", FORM | {"body": body, "check": "1"})
    assert looked.status_code == 200
    assert said in text_of(looked)
    assert "cannot be saved" in text_of(looked)
    assert bob_client.post("/assistants/new", FORM | {"body": body}).status_code == 422
    assert not Assistant.objects.exists()


def test_a_check_shows_variables_length_and_warnings(bob_client, in_workspace):
    body = "请以“最佳”语气回答 {{问}} @@@prompt:name=ground_rules@@@"
    page = text_of(bob_client.post("/assistants/new", FORM | {"body": body, "variables": "old: x", "check": "1"}))
    for part in ("can be saved", "<code>问</code>", "ground_rules@0", "最佳", "“old” does not stand", "Line 1"):
        assert part in page, part
    assert not Assistant.objects.exists()


def test_what_is_typed_is_shown_as_text(bob_client, in_workspace):
    page = bob_client.post("/assistants/new", FORM | {"body": "<script>{{<b>}}", "check": "1"}).content.decode()
    assert "<script>{{" not in page
    assert "&lt;script&gt;" in page


def test_a_template_fills_the_form(bob_client, in_workspace, alice_actor):
    own = create_template(by=alice_actor, name="Ours", body="Hi {{name}}")
    for key, part in (("food-menu-zh", "本周菜品"), (str(own.pk), "Hi {{name}}")):
        assert part in text_of(bob_client.get(f"/assistants/new?template={key}"))
    for key in ("gone", "018f0000-0000-7000-8000-000000000000"):
        assert bob_client.get(f"/assistants/new?template={key}").status_code == 404


# --- acts ---------------------------------------------------------------------------------------------------


def test_production_moves_and_the_page_says_so(cafe, alice_client):
    one = f"/assistants/{cafe.pk}"
    answer = alice_client.post(f"{one}/label", {"label": "production", "version": "2"}, follow=True)
    assert "Version 2 is production now. The next run uses it." in text_of(answer)
    assert cafe.labels.get(label="production").version.number == 2


@pytest.mark.parametrize(
    ("act", "body", "said"),
    [
        ("label", {"label": "latest", "version": "1"}, "always stands at the newest"),
        ("label", {"label": "Big", "version": "1"}, "Small letters"),
        ("label", {"label": "x", "version": "9"}, "There is no version 9"),
        ("label", {"label": "x", "version": "many"}, "Name a label and a version"),
        ("unlabel", {"label": "latest"}, "always stands at the newest"),
        ("clone", {"name": ""}, "Give the copy a name"),
        ("versions/2/delete", {}, "Version 2 is latest"),
        ("versions/1/delete", {}, "Version 1 is production"),
    ],
)
def test_refusals_are_told_and_change_nothing(act, body, said, cafe, alice_client):
    answer = alice_client.post(f"/assistants/{cafe.pk}/{act}", body, follow=True)
    assert said in text_of(answer)
    assert (Assistant.objects.get().revision, PromptVersion.objects.count()) == (cafe.revision, 2)


def test_an_admin_protects_and_frees_a_label(cafe, alice_client, bob_client):
    one = f"/assistants/{cafe.pk}"
    assert "Put into production" not in text_of(bob_client.get(f"{one}?version=2"))
    alice_client.post(f"{one}/protect", {"label": "production"})
    assert "Put into production" in text_of(bob_client.get(f"{one}?version=2"))
    assert bob_client.post(f"{one}/label", {"label": "production", "version": "2"}).status_code == 302
    alice_client.post(f"{one}/protect", {"label": "production"})
    assert cafe.labels.get(label="production").is_protected
    for act in ("protect", "unlabel"):
        answer = alice_client.post(f"{one}/{act}", {"label": "none"}, follow=True)
        assert "There is no such label" in text_of(answer)


def test_rolling_back_copying_and_deleting(cafe, bob_client):
    one = f"/assistants/{cafe.pk}"
    answer = bob_client.post(f"{one}/versions/1/rollback")
    assert answer.url.endswith(f"{one}?version=3")
    assert (newest(cafe).body, newest(cafe).rolled_back_from) == ("Write for {{brand}}.", 2)
    bob_client.post(f"{one}/versions/2/delete")
    assert sorted(cafe.versions.values_list("number", flat=True)) == [1, 3]
    bob_client.post(f"{one}/clone", {"name": "Bar", "version": "1"})
    assert newest(Assistant.objects.get(name="Bar")).cloned_from == "cafe@1"


def test_archiving_and_bringing_back(cafe, bob_client, bob_actor):
    one = f"/assistants/{cafe.pk}"
    assert bob_client.post(f"{one}/archive").url.endswith("/assistants")
    assert bob_client.get(one).status_code == 404
    assert "Bring back" in text_of(bob_client.get("/assistants?archived"))
    bob_client.post(f"{one}/restore")
    assert get_assistant(bob_actor, cafe.pk).archived_at is None


def test_a_built_in_prompt_is_made_ones_own_once(bob_client, in_workspace):
    for _ in range(2):
        bob_client.post("/assistants/built-in/writer/customise")
    own = Assistant.objects.get()
    assert (own.key, newest(own).cloned_from, newest(own).body) == (
        "writer",
        "writer@0",
        shipped_prompts()["writer"].body,
    )
    assert "Your own version" in text_of(bob_client.get("/assistants/built-in/writer"))
    assert bob_client.post("/assistants/built-in/gone/customise").status_code == 404
    assert bob_client.get("/assistants/built-in/gone").status_code == 404


def test_a_diff_marks_words_and_names_what_else_changed(cafe, vic_client, alice_actor):
    update_assistant(cafe, by=alice_actor, prompt={"config": {"t": 2}})
    page = text_of(vic_client.get(f"/assistants/{cafe.pk}/diff?from=1&to=2"))
    assert "<ins>well </ins>" in page
    page = text_of(vic_client.get(f"/assistants/{cafe.pk}/diff"))
    assert "Both say the same" in page
    assert "Also different: config." in page


# --- the library --------------------------------------------------------------------------------------------


def test_the_library_is_filtered_by_industry_language_and_words(bob_client, in_workspace):
    def names(query):
        return re.findall(
            r'<h2 id="template-\d+"[^>]*>([^<]+)', bob_client.get(f"/assistants/library{query}").content.decode()
        )

    assert names("?industry=food&language=zh") == ["本周菜单", "食材的来处"]
    assert names("?q=menu+allergens") == ["Menu of the week"]
    assert len(names("?industry=nonsense")) == len(names("")) >= 20
    assert "No template fits" in text_of(bob_client.get("/assistants/library?q=zzzz"))


def test_own_templates_are_made_changed_and_deleted(cafe, bob_client):
    page = text_of(bob_client.get(f"/assistants/library/new?from={cafe.pk}"))
    assert "Write well for {{brand}}." in page
    form = {"name": "Ours", "language": "de", "industry": "", "body": "Hi {{name}}"}
    assert bob_client.post("/assistants/library/new", form).status_code == 302
    assert bob_client.post("/assistants/library/new", form).status_code == 422
    assert bob_client.post("/assistants/library/new", form | {"name": "B", "body": "{{{x}}}"}).status_code == 422
    row = PromptTemplate.objects.get()
    assert bob_client.post(f"/assistants/library/{row.pk}", form | {"body": "Hello"}).status_code == 302
    assert PromptTemplate.objects.get().body == "Hello"
    assert "yours" in text_of(bob_client.get("/assistants/library"))
    bob_client.post(f"/assistants/library/{row.pk}/delete")
    assert not PromptTemplate.objects.exists()


def test_pages_take_as_many_queries_for_many(cafe, alice_actor, bob_client, django_assert_max_num_queries):
    def count(path, limit):
        with django_assert_max_num_queries(limit) as seen:
            assert bob_client.get(path).status_code == 200
        return len(seen)

    paths = ["/assistants", f"/assistants/{cafe.pk}", f"/assistants/{cafe.pk}/diff"]
    few = [count(path, 60) for path in paths]
    for number in range(5):
        create_assistant(by=alice_actor, name="More", draft=PromptDraft("Text"))
        update_assistant(cafe, by=alice_actor, prompt={"body": f"Text {number}"})
        set_label(cafe, f"l{number}", number + 2, by=alice_actor)
    assert [count(path, limit) for path, limit in zip(paths, few, strict=True)] == few
