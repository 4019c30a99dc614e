"""Whether the links of a post answer: asked over real HTTP, remembered for some hours."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.link_checks import check_links, known_checks, links_of, look_at
from campaigns.models import LinkCheck
from campaigns.rendering import Rendered, RenderedPart
from lib.clock import now, shifted
from social.networks.port import Entity
from tests.campaigns.cast import add_connection


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        status = int(self.path.split("/")[1])
        body = b"x" * int(([*self.path.split("/"), "1"])[2])
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def site(settings) -> Iterator[ThreadingHTTPServer]:
    """Answers /404 with 404, and so on."""
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address(site: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{site.server_port}/{path}"


def rendered(text: str, entities: tuple[Entity, ...] = (), **fields) -> Rendered:
    values = {"connection_id": None, "network": "x", "remote_account": "1", "made_with_ai": False}
    return Rendered(parts=(RenderedPart(text, (), entities),), **values | fields)


# --- which links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("No link here.", []),
        ("See https://beans.coffee/new now", ["https://beans.coffee/new"]),
        ("See beans.com now", ["https://beans.com"]),
        ("beans.com and beans.com", ["https://beans.com"]),
        ("http://a.com then https://b.com", ["http://a.com", "https://b.com"]),
    ],
)
def test_links_in_a_text_are_found_once_each(text: str, found: list[str]) -> None:
    assert links_of(rendered(text)) == found


def test_links_behind_words_and_on_buttons_are_found() -> None:
    entity = Entity("text_link", 0, 4, url="https://words.com/")
    options = {"buttons": [[{"text": "Buy", "url": "https://buttons.com/"}, {"text": "Chat", "url": "tg://resolve"}]]}
    assert links_of(rendered("Look", (entity,), options=options)) == ["https://words.com/", "https://buttons.com/"]


# --- one look ---------------------------------------------------------------------------------------------


def test_a_page_that_is_there_is_fine(site) -> None:
    assert look_at(address(site, "200")) == (True, 200, "")


@pytest.mark.parametrize("status", [404, 410, 500, 503])
def test_a_page_that_is_not_there_says_so(site, status: int) -> None:
    is_ok, answered, problem = look_at(address(site, str(status)))
    assert (is_ok, answered) == (False, status)
    assert problem


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_server_that_only_shuts_out_robots_is_fine(site, status: int) -> None:
    assert look_at(address(site, str(status))) == (True, status, "")


def test_a_large_page_is_an_answer_too(site) -> None:
    assert look_at(address(site, "200/200000"))[0] is True


def test_an_address_inside_our_own_network_is_never_read(site, settings) -> None:
    settings.OUTBOUND_ALLOW_CIDRS = []
    is_ok, _status, problem = look_at(address(site, "200"))
    assert (is_ok, problem) == (False, "This address is not on the public internet.")
    assert site.seen == []


# --- remembering ------------------------------------------------------------------------------------------


@pytest.fixture
def outside(workspace: Workspace) -> Workspace:
    """Looks happen outside of transactions, so the test opens the scope itself."""
    return workspace


def stored(workspace: Workspace) -> dict[str, bool]:
    with workspace_scope(workspace.pk):
        return {row.url.rsplit("/", 1)[1]: row.is_ok for row in LinkCheck.objects.all()}


def test_every_look_is_kept(site, outside) -> None:
    assert check_links(outside, [address(site, "200"), address(site, "404")]) == 2
    assert stored(outside) == {"200": True, "404": False}


def test_a_good_link_is_not_asked_again_for_hours(site, outside) -> None:
    check_links(outside, [address(site, "200")])
    with shifted(timedelta(hours=5)):
        assert check_links(outside, [address(site, "200")]) == 0
    with shifted(timedelta(hours=7)):
        assert check_links(outside, [address(site, "200")]) == 1


def test_a_broken_link_is_asked_again_soon(site, outside) -> None:
    check_links(outside, [address(site, "404")])
    assert check_links(outside, [address(site, "404")]) == 0
    with shifted(timedelta(minutes=11)):
        assert check_links(outside, [address(site, "404")]) == 1


def test_the_same_link_is_asked_once(site, outside) -> None:
    check_links(outside, [address(site, "200")] * 3)
    assert len(site.seen) == 1


def test_no_round_takes_more_than_its_share(site, outside, monkeypatch) -> None:
    monkeypatch.setattr("campaigns.link_checks.MOST_PER_ROUND", 3)
    assert check_links(outside, [address(site, f"200/{number}") for number in range(1, 6)]) == 3


def test_what_one_workspace_looked_at_stays_there(site, outside, other_workspace) -> None:
    check_links(outside, [address(site, "404")])
    with workspace_scope(other_workspace.pk):
        assert known_checks(other_workspace, [address(site, "404")]) == {}


def test_known_checks_cost_one_query(in_workspace, django_assert_num_queries) -> None:
    add_connection(in_workspace)
    with django_assert_num_queries(1):
        known_checks(in_workspace, [f"https://beans.coffee/{number}" for number in range(20)])


def test_a_look_is_dated(site, outside) -> None:
    check_links(outside, [address(site, "200")])
    with workspace_scope(outside.pk):
        assert abs(LinkCheck.objects.get().checked_at - now()) < timedelta(seconds=5)
