from datetime import date

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts.deprecation import Deprecation
from accounts.rest import ApiView

GOING = Deprecation(date(2026, 11, 22), date(2027, 11, 22), "/api/new")


class OldView(ApiView):
    """Here for the test."""

    permission_classes = [AllowAny]
    deprecated = GOING

    def get(self, request):
        return Response({})


class PickyView(OldView):
    def get(self, request):
        return Response({}, headers={"Link": "</api/page>; rel=next"})


urlpatterns = [path("api/old", OldView.as_view()), path("api/picky", PickyView.as_view())]


def test_headers_are_written_as_their_rfcs_want_them():
    assert GOING.headers() == {
        "Deprecation": "@1795305600",
        "Sunset": "Mon, 22 Nov 2027 00:00:00 GMT",
        "Link": '</api/new>; rel="successor-version"',
    }


@pytest.mark.urls(__name__)
def test_a_route_that_goes_says_so_in_each_answer(client):
    answer = client.get("/api/old")
    assert {name: answer[name] for name in GOING.headers()} == GOING.headers()
    assert client.post("/api/old")["Sunset"] == "Mon, 22 Nov 2027 00:00:00 GMT"
    assert client.get("/api/picky")["Link"] == "</api/page>; rel=next"


def test_the_document_marks_it():
    schema = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    operation = schema["paths"]["/api/old"]["get"]
    assert operation["deprecated"]
    assert set(GOING.headers()) <= set(operation["responses"]["200"]["headers"])
