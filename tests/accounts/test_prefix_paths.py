"""Every address a page of a workspace can be asked for: taken apart and put together again without loss."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import get_script_prefix, resolve, reverse, set_script_prefix
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.middleware import WITHOUT_PREFIX, WorkspacePrefixMiddleware, root_addresses

SLUGS = st.from_regex(r"[a-z0-9_-]{1,60}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TOKENS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=30)
PAGES = st.one_of(
    st.tuples(st.sampled_from(["home", "accounts:settings", "accounts:audit", "accounts:theme"]), st.just([])),
    st.tuples(
        st.sampled_from(["accounts:member-role", "accounts:invitation-withdraw"]),
        st.lists(st.integers(0, 2**63), min_size=1, max_size=1),
    ),
    st.tuples(st.just("accounts:key-revoke"), st.lists(st.uuids(), min_size=1, max_size=1)),
    st.tuples(st.just("accounts:invitation"), st.lists(TOKENS, min_size=1, max_size=1)),
)


def visit(address: str, look: Callable[[HttpRequest], object] = id) -> tuple[str, str, object]:
    """What the page behind the middleware is asked for: path, workspace, and what `look` finds there."""
    found: list[tuple[str, str, object]] = []

    def page(request: HttpRequest) -> HttpResponse:
        found.append((request.path_info, request.workspace_slug, look(request)))
        return HttpResponse()

    WorkspacePrefixMiddleware(page)(RequestFactory().get(address))
    return found[0]


@given(slug=SLUGS, rest=TEXT)
@example(slug="a", rest="settings\n")
@example(slug="a", rest="\nsettings")
@example(slug="-", rest="w")
def test_what_follows_the_workspace_is_the_path_to_the_letter(slug, rest):
    path = f"/{rest}"
    expected = (f"/w/{slug}{path}", "") if path.startswith(WITHOUT_PREFIX) else (path, slug)
    assert visit(quote(f"/w/{slug}{path}"))[:2] == expected


@given(path=TEXT.filter(lambda text: not text.startswith("w/")))
@example(path="w")
@example(path="w/")
@example(path="w/Roastery/settings")
@example(path="W/roastery/settings")
@example(path="x/w/roastery/settings")
@example(path="w/烘焙/settings")
@example(path="w/roastery\n")
def test_what_names_no_workspace_is_left_alone(path):
    # "//host" would be the address of another machine.
    path = "/" + path.lstrip("/")
    assert visit(quote(path))[:2] == (path, "")


@given(slug=SLUGS, page=PAGES)
@example(slug="roastery", page=("accounts:invitation", ["a\nb"]))
@example(slug="roastery", page=("accounts:invitation", ["?a=1#b%2F"]))
def test_address_of_a_page_leads_back_to_it_in_the_same_workspace(slug, page):
    name, args = page
    _path, _slug, address = visit(f"/w/{slug}/", lambda _request: reverse(name, args=args))
    assert address == f"/w/{slug}{reverse(name, args=args)}"
    path, workspace, _seen = visit(address)
    match = resolve(path)
    assert (workspace, match.view_name, list(match.kwargs.values())) == (slug, name, args)


@pytest.fixture(params=["/", "/app/", "/new/app/", "/w/", "/w/app/x/"])
def mounted(request):
    """The product under an address of its own, as a proxy with SCRIPT_NAME does it."""
    set_script_prefix(request.param)
    yield request.param
    set_script_prefix("/")


def addresses(_request: HttpRequest) -> tuple[str, str, str]:
    inside = reverse("accounts:members")
    with root_addresses():
        outside = reverse("accounts:members")
    return inside, outside, reverse("accounts:members")


def test_addresses_keep_the_place_where_the_product_is_mounted(mounted):
    inside = f"{mounted}w/roastery/settings/members"
    assert visit("/w/roastery/settings", addresses)[2] == (inside, f"{mounted}settings/members", inside)


def test_addresses_for_mails_outside_a_workspace_keep_it_too(mounted):
    plain = f"{mounted}settings/members"
    assert visit("/settings", addresses)[2] == (plain, plain, plain)


@pytest.mark.parametrize("path", ["/w/roastery/settings", "/settings", "/w/a/w/b/x"])
@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_script_prefix_is_the_same_after_any_error(mounted, path, error):
    def page(_request: HttpRequest) -> HttpResponse:
        raise error

    with pytest.raises(error):
        WorkspacePrefixMiddleware(page)(RequestFactory().get(path))
    assert get_script_prefix() == mounted


def test_script_prefix_is_restored_after_an_error_while_a_mail_is_written(mounted):
    with pytest.raises(ValueError, match="broken"), root_addresses():
        raise ValueError("broken")
    assert get_script_prefix() == mounted
