import pytest

from agents.prompts.library import shipped_prompts, shipped_templates
from agents.prompts.validation import validate_prompt

INDUSTRIES = ("beauty", "food", "saas", "education", "retail")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("industry", INDUSTRIES)
def test_every_industry_has_templates_in_both_languages(industry, language):
    found = [row for row in shipped_templates().values() if (row.industry, row.language) == (industry, language)]
    assert len(found) >= 2


def test_all_that_is_shipped_passes_its_own_checks(in_workspace):
    for shipped in (*shipped_templates().values(), *shipped_prompts().values()):
        report = validate_prompt(in_workspace, shipped.body, key=shipped.key, declared=shipped.variables)
        assert report.findings == [], shipped.key
        assert 50 < report.tokens < 600, shipped.key
        assert len(shipped.name) <= 80
        assert len(shipped.description) <= 200


def test_templates_of_one_kind_exist_in_both_languages():
    names = {key.rpartition("-")[0]: set() for key in shipped_templates()}
    for key, row in shipped_templates().items():
        assert key.endswith(f"-{row.language}")
        names[key.rpartition("-")[0]].add(row.language)
    assert set(map(frozenset, names.values())) == {frozenset({"en", "zh"})}
