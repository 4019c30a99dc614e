from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().paginate_queryset(*args, **kwargs)
        # One that was made up may also compare words with numbers.
        except (NotFound, ValueError) as error:
            raise ValidationError({"cursor": ["This is no cursor of this list: begin without one."]}) from error
