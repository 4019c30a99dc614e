"""Several processes at once: real ones, with transactions of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.models import Membership, User
from compliance.privacy import ledger, requests
from tests.compliance.privacy_cast import again

ROOT = Path(__file__).parents[2]
START = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'marketing.settings'; django.setup(); "
RUN = START + "from compliance.privacy import run; print(run.run('{row}'))"
APPEND = (
    START + "from uuid import uuid4; from compliance.privacy.ledger import append; "
    "[append('user', uuid4(), None) for _ in range(50)]"
)


def outputs(code: str, times: int, env: dict[str, str]) -> list[str]:
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(times)
    ]
    return [process.communicate(timeout=120)[0].strip() for process in started]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_request_erase_once(workspace, bob, child_env, tmp_path):
    row = requests.open_own_request("erase", user=bob)
    env = {**child_env, "ERASURES_FILE": str(tmp_path / "erased.jsonl"), "APP_DATA": str(tmp_path)}
    found = outputs(RUN.format(row=row.pk), 2, env)
    assert sorted(line.splitlines()[-1] for line in found) == ["False", "True"]
    assert not User.objects.filter(email="bob@example.org").exists()
    assert Membership.objects.filter(workspace=workspace).count() == 1
    assert again(row).status == "done"
    assert (tmp_path / "erased.jsonl").read_text().count('"kind"') == 1


def test_lines_of_several_processes_do_not_mix(settings, tmp_path):
    settings.ERASURES_FILE = str(tmp_path / "erased.jsonl")
    outputs(APPEND, 2, {**os.environ, "ERASURES_FILE": settings.ERASURES_FILE})
    lines = [*ledger.lines()]
    assert len(lines) == 100
    assert len({line.id for line in lines}) == 100
