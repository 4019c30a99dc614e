"""Public holidays of the countries that a workspace chose, named on their days in the calendar."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays
from django.core.exceptions import ValidationError
from django.db import transaction
from holidays.registry import COUNTRIES

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace

MAX_COUNTRIES = 10
LANGUAGE = "en_US"


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """ISO code to name."""
    named = {codes[1]: name.replace("_", " ").title().replace(" And ", " and ") for name, codes in COUNTRIES.items()}
    return dict(sorted(named.items(), key=lambda pair: pair[1]))


@lru_cache(maxsize=256)
def _of_year(country: str, year: int) -> dict[date, str]:
    return dict(holidays.country_holidays(country, years=year, language=LANGUAGE))


def holidays_of(codes: Iterable[str], days: Iterable[date]) -> dict[date, list[str]]:
    """`Christmas Day (DE, US)`: one line for a day that has the same name in several countries."""
    known = sorted(set(codes) & set(countries()))
    found: dict[date, list[str]] = {}
    for day in days:
        by_name: dict[str, list[str]] = defaultdict(list)
        for code in known:
            if name := _of_year(code, day.year).get(day):
                by_name[name].append(code)
        if by_name:
            found[day] = [f"{name} ({', '.join(where)})" for name, where in by_name.items()]
    return found


def set_holiday_countries(codes: Iterable[str], *, by: Actor) -> None:
    by.require(Perm.SETTINGS)
    wanted = sorted(set(codes))
    if unknown := set(wanted) - set(countries()):
        raise ValidationError({"countries": f"There is no calendar for {', '.join(sorted(unknown))}."})
    if len(wanted) > MAX_COUNTRIES:
        raise ValidationError({"countries": f"Choose at most {MAX_COUNTRIES} countries."})
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace.pk)
        before = workspace.holiday_countries
        if before != wanted:
            Workspace.objects.filter(pk=workspace.pk).update(holiday_countries=wanted)
            audit.record("workspace.holidays", workspace, by=by, before=before, after=wanted)
    by.workspace.holiday_countries = wanted
