"""The steps of vectors/agents/prompts/version_state_machine.json, over HTTP."""

import threading

import pytest
from django.db import connections

from agents.models import PromptVersion, Run
from agents.prompts import current_prompt
from tests.agents.prompts.conftest import BODY

pytestmark = pytest.mark.django_db(transaction=True)


def stored(number):
    return PromptVersion.objects.filter(number=number).values().get()


def test_versions_and_labels_walk_through_all_steps(call, caller, bob, vic, workspace, other_workspace, charlie, rows):
    # create A -> v1, label latest=v1, no production
    made = call.make(key="cafe", config={"temperature": 0.2})
    one = f"assistants/{made['id']}"
    assert (made["version"], made["labels"]) == (1, {"latest": 1})
    first = rows(lambda: stored(1))

    # update A -> v2 (v1 row byte-identical afterwards)
    answer = call.patch(one, {"body": "Write well for {{brand}}.", "config": {"top_p": 1}})
    assert (answer.json()["version"], answer.json()["labels"]) == (2, {"latest": 2})
    assert answer.json()["config"] == {"temperature": 0.2, "top_p": 1}
    assert rows(lambda: stored(1)) == first

    # promote v1 -> production=v1
    answer = call.put(f"{one}/labels/production", {"version": 1})
    assert answer.json()["labels"] == {"latest": 2, "production": 1}

    # get(A) -> v1; get(A,label=latest) -> v2; get(A,version=2) -> v2; get(A,version=9) -> 404
    assert call.get(one).json()["version"] == 1
    assert call.get(one, {"label": "latest"}).json()["version"] == 2
    assert call.get(one, {"version": 2}).json()["version"] == 2
    assert call.get(one, {"version": 9}).status_code == 404
    assert call.get(one, {"label": "staging"}).status_code == 404

    # replace A -> v3 with fresh body; v1,v2 kept
    answer = call.put(one, {"name": "Café writer", "body": "Be brief."})
    assert {name: answer.json()[name] for name in ("version", "body", "config", "variables")} == {
        "version": 3,
        "body": "Be brief.",
        "config": {},
        "variables": {},
    }
    assert [row["version"] for row in call.get(f"{one}/versions").json()["results"]] == [3, 2, 1]

    # rollback(A,to=1) creates v4 == body of v1 with rolled_back_from=3
    answer = call.post(f"{one}/rollback", {"to": 1}).json()
    assert (answer["version"], answer["rolled_back_from"]) == (4, 3)
    assert (answer["body"], answer["sha256"], answer["config"]) == (first["body"], first["sha256"], first["config"])
    assert answer["labels"] == {"latest": 4, "production": 1}

    # clone(A)->B v1 with cloned_from=A@4
    copy = call.post(f"{one}/clone", {"key": "bar"}).json()
    assert (copy["key"], copy["version"], copy["cloned_from"]) == ("bar", 1, "cafe@4")
    assert (copy["body"], copy["labels"]) == (first["body"], {"latest": 1})

    # promote needs role; protected label change by editor -> 403
    assert caller(vic).put(f"{one}/labels/staging", {"version": 2}).status_code == 403
    assert caller(bob).put(f"{one}/labels/staging", {"version": 2}).status_code == 200
    assert caller(bob).put(f"{one}/labels/production", {"version": 2}).status_code == 403
    assert caller(bob).delete(f"{one}/labels/production").status_code == 403
    assert call.get(one).json()["labels"]["production"] == 1

    # concurrent update with stale If-Match -> 409, never a duplicate version number
    tag = call.get(one).headers["ETag"].strip('"')
    answers = at_once(lambda n: caller(bob).patch(one, {"body": f"Text {n}"}, match=tag).status_code, 6)
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    free = at_once(lambda n: caller(bob).patch(one, {"body": f"Free {n}"}).json().get("version"), 4)
    assert sorted(free) == [6, 7, 8, 9]
    assert len(rows(lambda: set(PromptVersion.objects.filter(assistant__key="cafe").values_list("number")))) == 9

    # delete version that carries production -> 409
    assert call.delete(f"{one}/versions/1").status_code == 409
    assert call.delete(f"{one}/versions/9").status_code == 409
    assert call.delete(f"{one}/versions/3").status_code == 204
    assert call.get(one, {"version": 3}).status_code == 404

    # reload: the next read serves what was committed (two processes: test_hot_reload.py)
    assert call.post(f"{one}/reload").json()["version"] == 1
    call.put(f"{one}/labels/production", {"version": 2})
    assert call.post(f"{one}/reload").json()["version"] == 2

    # each run row stores prompt_id, version, sha256; editing later does not change it
    run = rows(lambda: made_run(workspace))
    call.patch(one, {"body": "Later."})
    call.put(f"{one}/labels/production", {"version": 10})
    kept = rows(lambda: Run.objects.select_related("prompt_version", "assistant").get(pk=run.pk))
    assert (kept.assistant.key, kept.prompt_version.number, kept.prompt_sha256) == ("cafe", 2, run.prompt_sha256)
    assert call.delete(f"{one}/versions/2").status_code == 409

    # version body with an attack to another tenant id -> 404 not 403
    for tenant in (other_workspace.pk, other_workspace.slug):
        assert call.put(f"prompts/{tenant}/cafe", {"body": "Mine now"}).status_code == 404
        assert call.get(f"prompts/cafe/{tenant}/1").status_code == 404
    assert caller(charlie).put(f"prompts/{other_workspace.pk}/cafe", BODY).status_code == 404
    assert call.put(f"prompts/{workspace.pk}/cafe", {"body": "Ours"}).status_code == 200


def made_run(workspace):
    pinned = current_prompt(workspace, "cafe")
    version = PromptVersion.objects.get(pk=pinned.version_id)
    return Run.objects.create(
        workspace=workspace,
        assistant=version.assistant,
        prompt_version=version,
        prompt_sha256=pinned.sha256,
        workflow="chat",
    )


def at_once(act, count):
    found = []

    def work(number):
        found.append(act(number))
        connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
