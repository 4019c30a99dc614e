"""What one process commits, another serves with its next run; what a run has pinned stays."""

import subprocess
import sys
from time import monotonic

import pytest

from accounts.scope import workspace_scope
from agents.prompts import current_prompt
from agents.prompts.assistants import create_assistant, update_assistant
from agents.prompts.labels import set_label
from agents.prompts.versions import PromptDraft

WORKER = """
import sys, django
django.setup()
from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.prompts import current_prompt, render
workspace = Workspace.objects.get(slug=sys.argv[1])
for line in sys.stdin:
    with workspace_scope(workspace.pk):
        pinned = current_prompt(workspace, "cafe")
    print(pinned.version, pinned.sha256, render(pinned.body, {}), flush=True)
"""


@pytest.fixture
def worker(child_env, workspace):
    env = child_env | {"DJANGO_SETTINGS_MODULE": "marketing.settings"}
    command = [sys.executable, "-c", WORKER, workspace.slug]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def next_run(worker):
    worker.stdin.write("run\n")
    worker.stdin.flush()
    return worker.stdout.readline().split(maxsplit=2)


@pytest.mark.django_db(transaction=True)
def test_another_process_serves_what_was_committed_at_once(worker, workspace, alice_actor):
    with workspace_scope(workspace.pk):
        base = create_assistant(by=alice_actor, name="Base", key="base", draft=PromptDraft("Old rules."))
        set_label(base, "production", 1, by=alice_actor)
        cafe = create_assistant(by=alice_actor, name="Café", key="cafe", draft=PromptDraft("One"))
        update_assistant(cafe, by=alice_actor, prompt={"body": "Two @@@prompt:name=base@@@"})
        set_label(cafe, "production", 1, by=alice_actor)
    served = [next_run(worker)]
    with workspace_scope(workspace.pk):
        pinned = current_prompt(workspace, "cafe")
        set_label(cafe, "production", 2, by=alice_actor)
    began = monotonic()
    served.append(next_run(worker))
    assert monotonic() - began < 10
    # What a prompt names changes with it.
    with workspace_scope(workspace.pk):
        update_assistant(base, by=alice_actor, prompt={"body": "New rules."})
        set_label(base, "production", 2, by=alice_actor)
    served.append(next_run(worker))
    assert [(version, text.strip()) for version, _sha, text in served] == [
        ("1", "One"),
        ("2", "Two Old rules."),
        ("2", "Two New rules."),
    ]
    assert len({sha for _version, sha, _text in served}) == 3
    assert (str(pinned.version), pinned.sha256, pinned.body) == (served[0][0], served[0][1], "One")
