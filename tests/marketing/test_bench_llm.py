"""The measurement of model calls at a tiny size: that it measures what it says."""

import pytest

from accounts.scope import workspace_scope
from agents.models import ModelCall
from marketing.benching import llm
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures


@pytest.mark.django_db
def test_the_port_is_measured_against_the_bare_sdk(sandbox, workspace, monkeypatch):  # noqa: F811
    monkeypatch.setattr(llm, "ROUNDS", 3)
    monkeypatch.setattr(llm, "WARM_UP", 1)
    found = llm.llm_ratio(sandbox.url, workspace)
    assert found["llm_call_port_to_sdk"] == found["llm_call_port_ms"] / found["llm_call_bare_sdk_ms"]
    assert 0 < found["llm_call_bare_sdk_ms"] < found["llm_call_port_ms"]
    assert len(sandbox.get("/llm/calls")["calls"]) == 8
    with workspace_scope(workspace.pk):
        assert ModelCall.objects.filter(status="done").count() == 4
