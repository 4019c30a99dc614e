import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.scope import workspace_scope

BODY = {"name": "Café writer", "body": "Write for {{brand}}."}


class Caller:
    """One person at the routes of assistants and prompts: `call.post("assistants", {...})` answers the response."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def __getattr__(self, method):
        def ask(path, body=None, *, match=None, key=None):
            headers = {"HTTP_IF_MATCH": f'"{match}"'} if match is not None else {}
            headers |= {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
            if method == "get":
                return self.client.get(f"/v1/{path}", body or {})
            return getattr(self.client, method)(f"/v1/{path}", body or {}, format="json", **headers)

        return ask

    def make(self, **fields):
        answer = self.post("assistants", {**BODY, **fields})
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture
def caller(api, workspace):
    def connect(user: User) -> Caller:
        return Caller(api(user))

    return connect


@pytest.fixture
def call(caller, alice) -> Caller:
    return caller(alice)


@pytest.fixture
def rows(workspace):
    """Run a look at the rows of Roastery, wherever the test stands."""

    def look(do):
        with workspace_scope(workspace.pk):
            return do()

    return look
