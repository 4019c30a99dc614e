"""Parts of addresses that are no UUIDs: an assistant by id or key, a tenant by any of its names."""

from django.urls import register_converter

# Acts and collections stand at the same places.
_NO_ACT = "(?!(?:clone|rollback|validate|templates)(?:/|$))"


class AssistantConverter:
    regex = f"{_NO_ACT}[A-Za-z0-9][A-Za-z0-9_-]{{0,59}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class TenantConverter(AssistantConverter):
    regex = f"{_NO_ACT}[^/]{{1,120}}"


register_converter(AssistantConverter, "assistant")
register_converter(TenantConverter, "tenant")
