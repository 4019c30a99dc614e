"""Memory after a change of SECRET_KEY."""

from io import StringIO

import pytest
from django.core.management import call_command

from agents.memory import index
from agents.models import MemoryItem, SearchTerm
from tests.agents.memory.test_index import found, many  # noqa: F401 fixture

pytestmark = pytest.mark.django_db


def test_memory_is_found_again_after_the_key_changed(many, in_workspace, settings, monkeypatch):  # noqa: F811
    monkeypatch.setattr(index, "FRESH", 1)
    index.index_memory(in_workspace.pk)
    before = found(in_workspace, "espresso berlin")
    settings.SECRET_KEY = "another key " * 5
    assert found(in_workspace, "espresso berlin") != before
    said = StringIO()
    call_command("reindex_memory", stdout=said)
    assert said.getvalue() == "400 rows are in the index.\n"
    assert found(in_workspace, "espresso berlin") == before
    assert SearchTerm.objects.exists()
    assert not MemoryItem.objects.filter(is_indexed=False).exists()
