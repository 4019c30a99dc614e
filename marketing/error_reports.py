"""The page that DEBUG shows after an error. Even there no secret belongs on a page."""

import re
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from marketing.logs import SECRET_KEYS, SECRET_PATH, SECRET_QUERY

DJANGO_HIDES = SafeExceptionReporterFilter.hidden_settings.pattern
# Those of the stores hold their passwords, that of an OAuth answer its code.
ADDRESSES = "(DATABASE|REDIS|BROKER)_URL|LOCATION|QUERY_STRING"


class SecretFreeReports(SafeExceptionReporterFilter):
    hidden_settings = re.compile(f"{DJANGO_HIDES}|{SECRET_KEYS.pattern}|{ADDRESSES}", re.I)

    def is_active(self, request: HttpRequest | None) -> bool:
        """Django leaves everything open where DEBUG is on."""
        return True

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        if not isinstance(cleansed, str):
            return cleansed
        return SECRET_PATH.sub(r"\1***", SECRET_QUERY.sub(r"\1***", cleansed))

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        """Local variables by their names, as settings are."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleanse_setting(name, value)) for name, value in found]
