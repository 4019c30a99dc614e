"""Failed deliveries by cause, for staff: choose a cause, choose all, queue them again."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from campaigns.models import Delivery

MOST_CAUSES = 30


class CauseFilter(admin.SimpleListFilter):
    """Offers the causes there are now, the most frequent first, with their numbers."""

    title = "cause of failure"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        failed = Delivery.objects.filter(state=Delivery.State.FAILED).order_by()
        causes = failed.values_list("problem_code").annotate(number=Count("pk")).order_by("-number", "problem_code")
        return [(code, f"{code} ({number})") for code, number in causes[:MOST_CAUSES] if code]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if not self.value():
            return queryset
        return queryset.filter(state=Delivery.State.FAILED, problem_code=self.value())
