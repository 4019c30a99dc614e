"""What services refuse with, as a step's failure: an answer, not a crash."""

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404

from accounts.problems import CONFLICTS
from accounts.usage import BudgetExceeded
from agents.runs.errors import RunFailed, StepFailed


def refusals() -> tuple[type[Exception], ...]:
    """For an `except`; the conflicts of the higher floors are known once all apps are loaded."""
    known = (RunFailed, PermissionDenied, ValidationError, ObjectDoesNotExist, Http404, BudgetExceeded)
    return (*known, *CONFLICTS)


def as_failure(error: Exception) -> RunFailed:
    if isinstance(error, RunFailed):
        return error
    if isinstance(error, PermissionDenied):
        return StepFailed("forbidden", str(error) or "This is not allowed.")
    if isinstance(error, ValidationError):
        return StepFailed("invalid", " ".join(error.messages))
    if isinstance(error, ObjectDoesNotExist | Http404):
        return StepFailed("not_found", "There is no such thing here.")
    if isinstance(error, BudgetExceeded):
        return StepFailed("over_budget", str(error))
    code = next((CONFLICTS[kind] for kind in type(error).__mro__ if kind in CONFLICTS), "refused_now")
    return StepFailed(code, str(error))
