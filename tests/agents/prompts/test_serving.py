import pytest

from agents.models import Assistant, PromptLabel, PromptVersion
from agents.prompts import PromptError, PromptNotFound, current_prompt, render
from agents.prompts.library import shipped_prompts
from agents.prompts.serving import sha256_of
from agents.prompts.syntax import names_in, syntax_findings

# fmt: off
KEYS = [
    "strategist", "writer", "product_check", "brand_check", "variants", "chat", "router", "product_expert",
    "compliance_advisor", "sentiment", "memory_keeper", "reader", "reply_writer", "keywords", "audience",
    "timing_words", "report_words", "consolidate",
]
# fmt: on


def put(workspace, key, *bodies, production=None):
    assistant = Assistant.objects.create(workspace=workspace, key=key, name=key)
    rows = [
        PromptVersion.objects.create(
            workspace=workspace, assistant=assistant, number=number, body=body, sha256=sha256_of(body)
        )
        for number, body in enumerate(bodies, 1)
    ]
    if production:
        PromptLabel.objects.create(
            workspace=workspace, assistant=assistant, label="production", version=rows[production - 1]
        )
    return assistant


@pytest.mark.parametrize("key", KEYS)
def test_every_agent_has_a_shipped_prompt_that_renders(key, in_workspace):
    pinned = current_prompt(in_workspace, key)
    assert (pinned.version, pinned.version_id, pinned.sha256) == (0, None, sha256_of(pinned.body))
    assert not list(syntax_findings(pinned.body))
    shipped = shipped_prompts()[key]
    assert set(names_in(pinned.body)) == set(shipped.variables) <= {"language", "brand"}
    text = render(pinned.body, {"language": "zh", "brand": "Roastery", "more": 1})
    assert "{{" not in text
    assert "@@@" not in text
    assert "material to work on" in text


def test_the_workspaces_production_version_takes_the_place_of_the_shipped_one(in_workspace):
    put(in_workspace, "writer", "First", "Second", production=1)
    pinned = current_prompt(in_workspace, "writer")
    assert (pinned.version, pinned.body, pinned.sha256) == (1, "First", sha256_of("First"))
    assert PromptVersion.objects.get(pk=pinned.version_id).number == 1


def test_without_a_production_version_or_when_archived_the_shipped_one_holds(in_workspace):
    draft = put(in_workspace, "writer", "First")
    assert current_prompt(in_workspace, "writer").version == 0
    PromptLabel.objects.create(
        workspace=in_workspace, assistant=draft, label="production", version=draft.versions.get()
    )
    assert current_prompt(in_workspace, "writer").version == 1
    Assistant.objects.update(archived_at="2026-11-21T00:00Z")
    assert current_prompt(in_workspace, "writer").version == 0


def test_a_key_that_nobody_has_is_not_found(in_workspace):
    put(in_workspace, "own", "Text")
    for key in ("own", "nobody", ""):
        with pytest.raises(PromptNotFound):
            current_prompt(in_workspace, key)


def test_another_label_may_be_asked_for(in_workspace):
    own = put(in_workspace, "own", "First", "Second", production=1)
    staging = own.versions.get(number=2)
    PromptLabel.objects.create(workspace=in_workspace, assistant=own, label="staging", version=staging)
    assert current_prompt(in_workspace, "own", "staging").body == "Second"


def test_what_it_names_is_put_in_and_counts_in_the_hash(in_workspace):
    put(in_workspace, "base", "Be kind.", "Be kinder.", production=2)
    put(in_workspace, "own", "@@@prompt:name=base|version=1@@@ @@@prompt:name=base@@@ Go.", production=1)
    pinned = current_prompt(in_workspace, "own")
    assert pinned.body == "Be kind. Be kinder. Go."
    assert pinned.sha256 == sha256_of("Be kind. Be kinder. Go.")


def test_own_ground_rules_reach_the_shipped_prompts(in_workspace):
    put(in_workspace, "ground_rules", "Rhyme in {{language}}.", production=1)
    assert "Rhyme in {{language}}." in current_prompt(in_workspace, "writer").body


def test_a_prompt_that_names_a_missing_one_is_refused(in_workspace):
    put(in_workspace, "own", "@@@prompt:name=gone@@@", production=1)
    with pytest.raises(PromptError) as refusal:
        current_prompt(in_workspace, "own")
    assert [finding.code for finding in refusal.value.findings] == ["not_found"]


def test_another_workspaces_prompts_do_not_exist(in_workspace, other_workspace):
    from accounts.scope import workspace_scope

    with workspace_scope(other_workspace.pk):
        put(other_workspace, "writer", "Theirs", production=1)
        put(other_workspace, "theirs", "Theirs", production=1)
    assert current_prompt(in_workspace, "writer").version == 0
    with pytest.raises(PromptNotFound):
        current_prompt(in_workspace, "theirs")
