"""The rules get into the table by command, and with `up` whenever the packs changed."""

from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from compliance.guard import rules
from compliance.models import GuardRule
from marketing import local_run

pytestmark = pytest.mark.django_db


def test_the_command_says_what_it_did() -> None:
    first, second = StringIO(), StringIO()
    call_command("load_packs", stdout=first)
    call_command("load_packs", stdout=second)
    assert first.getvalue().startswith(f"{GuardRule.objects.count()} new,")
    assert second.getvalue().strip() == "0 new, 0 updated, 0 kept, 0 gone"


def test_a_pack_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "broken.yaml").write_text("pack: broken\nrules: nonsense\n")
    monkeypatch.setattr(rules, "PACKS", tmp_path)
    rules.shipped_rules.cache_clear()
    try:
        with pytest.raises(CommandError, match=r"broken\.yaml"):
            call_command("load_packs")
    finally:
        rules.shipped_rules.cache_clear()


def test_a_run_loads_them_once_and_again_when_they_change(tmp_path: Path, monkeypatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(local_run, "has_pending_migrations", lambda _url: False)
    monkeypatch.setattr(local_run, "manage", lambda _run, *words: done.extend(words))
    digests = iter(["one", "one", "two"])
    monkeypatch.setattr(local_run, "packs_digest", lambda: next(digests))
    console = SimpleNamespace(step=lambda _text: nullcontext())
    run = SimpleNamespace(data=tmp_path, env={}, supervisor=SimpleNamespace(console=console), has_own_database=True)
    for _ in range(3):
        local_run.prepare_database(run, load_demo=False)  # type: ignore[arg-type]
    assert done == ["load_packs", "load_packs"]


def test_the_digest_follows_the_packs() -> None:
    assert local_run.packs_digest() == local_run.packs_digest()
    assert len(local_run.packs_digest()) == 64
