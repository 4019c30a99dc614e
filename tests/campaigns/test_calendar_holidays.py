from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry, Workspace
from campaigns.holidays import countries, holidays_of, set_holiday_countries

CHRISTMAS = date(2026, 12, 25)


def test_countries_have_names() -> None:
    assert countries()["DE"] == "Germany"
    assert countries()["BA"] == "Bosnia and Herzegovina"
    assert list(countries().values()) == sorted(countries().values())


def test_a_holiday_is_named_with_its_countries() -> None:
    assert holidays_of(["US", "DE"], [CHRISTMAS]) == {CHRISTMAS: ["Christmas Day (DE, US)"]}


def test_names_that_differ_stand_beside_each_other() -> None:
    assert holidays_of(["CN", "DE"], [date(2026, 5, 1)]) == {date(2026, 5, 1): ["Labor Day (CN, DE)"]}
    assert holidays_of(["US", "MX"], [date(2026, 11, 16)]) == {date(2026, 11, 16): ["Revolution Day (MX)"]}


def test_other_days_and_unknown_countries_have_none() -> None:
    assert holidays_of(["DE"], [date(2026, 12, 24)]) == {}
    assert holidays_of(["XX"], [CHRISTMAS]) == {}
    assert holidays_of([], [CHRISTMAS]) == {}


def test_days_of_two_years_are_found_in_both() -> None:
    assert set(holidays_of(["DE"], [CHRISTMAS, date(2027, 1, 1)])) == {CHRISTMAS, date(2027, 1, 1)}


def test_the_choice_is_kept_in_order_and_on_the_trail(alice_actor, in_workspace) -> None:
    set_holiday_countries(["US", "DE", "US"], by=alice_actor)
    assert Workspace.objects.get(pk=in_workspace.pk).holiday_countries == ["DE", "US"]
    assert AuditEntry.objects.filter(action="workspace.holidays").count() == 1


def test_the_same_choice_again_leaves_no_trace(alice_actor, in_workspace) -> None:
    set_holiday_countries(["DE"], by=alice_actor)
    set_holiday_countries(["DE"], by=alice_actor)
    assert AuditEntry.objects.filter(action="workspace.holidays").count() == 1


@pytest.mark.parametrize("codes", [["XX"], ["de"], ["DE", ""], [*list(countries())[:11]]])
def test_a_choice_that_cannot_be_shown_is_refused(alice_actor, in_workspace, codes: list[str]) -> None:
    with pytest.raises(ValidationError):
        set_holiday_countries(codes, by=alice_actor)
    assert Workspace.objects.get(pk=in_workspace.pk).holiday_countries == []


@pytest.mark.parametrize("name", ["bob", "rita", "vic", "gwen"])
def test_the_choice_is_a_setting_of_the_workspace(request, in_workspace, name: str) -> None:
    with pytest.raises(PermissionDenied):
        set_holiday_countries(["DE"], by=request.getfixturevalue(f"{name}_actor"))
