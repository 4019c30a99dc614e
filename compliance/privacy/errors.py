"""Refusals of privacy acts, with a text for people."""

from django.core.exceptions import ValidationError


class NotErasable(ValidationError):
    """Something stands in the way; the text says what, and what to do about it."""


class Held(NotErasable):
    """A legal hold stands."""
