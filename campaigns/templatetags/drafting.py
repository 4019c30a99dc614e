from django import template

from lib.money import dollars as as_dollars

register = template.Library()


@register.filter
def dollars(micro: int) -> str:
    return as_dollars(micro or 0)
