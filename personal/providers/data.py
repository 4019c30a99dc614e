"""Prices of symbols: GET {DATA_API_BASE_URL}/v1/quotes/{SYMBOL} with a bearer token.

Answers {"symbol", "name", "currency", "price": "12.34", "at": ISO 8601}. 404 for what is not listed.
"""

import math
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings

from lib.clock import now
from lib.http import open_session
from personal.providers.port import Data, Pace, ProviderError, Reading, Trouble

TIMEOUT_S = 10
WORKERS = 4
LONGEST_WAIT_S = 86_400


class DataProvider:
    name = "data"

    def pace(self) -> Pace:
        per_s = float(settings.DATA_CALLS_PER_S)
        return Pace(per_s, timedelta(seconds=1), max(1, math.ceil(per_s * 10)), WORKERS)

    def why_not(self) -> str:
        if settings.DATA_API_BASE_URL:
            return ""
        return "Symbols are not available here: the operator has not set up a data provider."

    def read(self, kind: str, value: str, since: Data) -> Reading:
        address = f"{settings.DATA_API_BASE_URL}/v1/quotes/{quote(value.upper(), safe='')}"
        try:
            with open_session(TIMEOUT_S) as session:
                answer = session.get(address, headers={"Authorization": f"Bearer {settings.DATA_API_KEY}"})
        except requests.RequestException as error:
            raise ProviderError(Trouble.TEMPORARY, "The data provider did not answer.") from error
        if answer.status_code != 200:
            raise _refusal(answer)
        return Reading(_price(answer), cost_micro=settings.DATA_CALL_COST_MICRO)


def _price(answer: requests.Response) -> Data:
    try:
        body: Any = answer.json()
        written = str(body["price"])
        price = float(written)
        at = datetime.fromisoformat(body["at"]).isoformat()
        facts = {"currency": str(body["currency"])[:8], "name": str(body["name"])[:80]}
    except (ValueError, LookupError, TypeError) as error:
        raise _unreadable() from error
    if not math.isfinite(price) or price <= 0:
        raise _unreadable()
    return {"price": price, "text": written[:30], "at": at, **facts}


def _unreadable() -> ProviderError:
    return ProviderError(Trouble.TEMPORARY, "The data provider's answer could not be read.")


def _refusal(answer: requests.Response) -> ProviderError:
    status = answer.status_code
    if status == 404:
        return ProviderError(Trouble.UNKNOWN, "The data provider knows no such symbol.")
    if status == 429:
        wait = answer.headers.get("retry-after", "")
        seconds = min(int(wait), LONGEST_WAIT_S) if wait.isdecimal() and len(wait) < 10 else 60
        message = "The data provider wants to be asked later."
        return ProviderError(Trouble.LIMITED, message, retry_at=now() + timedelta(seconds=seconds))
    if status in {401, 402, 403}:
        return ProviderError(Trouble.REFUSED, "The data provider refuses: its key or credit needs the operator.")
    return ProviderError(Trouble.TEMPORARY, "The data provider has a problem.")
