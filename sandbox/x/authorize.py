"""The authorise page: GET and POST /i/oauth2/authorize."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from sandbox.layout import page
from sandbox.router import Call
from sandbox.wire import Response, html_response, redirect
from sandbox.x import accounts, tokens

MAX_STATE = 500
_MEANINGS = {
    "tweet.read": "See posts and profiles",
    "tweet.write": "Post, reply and delete posts for you",
    "tweet.moderate.write": "Hide and unhide replies to your posts",
    "users.read": "See who you are",
    "media.write": "Upload pictures and videos for you",
    "offline.access": "Stay connected until you take the access back",
}


class BadGrant(Exception):
    """The app asked wrongly: shown to the person, never redirected."""


@dataclass(frozen=True)
class Grant:
    client_id: str
    app_name: str
    redirect_uri: str
    state: str
    scope: str
    challenge: str
    method: str


def show_page(call: Call) -> Response:
    try:
        grant = read_grant(call, call.request.query)
    except BadGrant as error:
        return _refusal(str(error))
    return html_response(200, _page(call, grant))


def decide(call: Call) -> Response:
    form = call.request.form
    try:
        grant = read_grant(call, form)
    except BadGrant as error:
        return _refusal(str(error))
    if form.get("decision") != "authorize":
        return _back(grant, {"error": "access_denied", "state": grant.state})
    handle = form.get("handle", "").strip() or form.get("account", "")
    try:
        account = accounts.ensure(call.db, handle, call.now)
    except accounts.BadHandle:
        message = "A handle is 1 to 15 letters, digits or underscores."
        return html_response(400, _page(call, grant, message, handle))
    code = tokens.issue_code(
        call.db,
        call.now,
        client_id=grant.client_id,
        account_id=account["id"],
        redirect_uri=grant.redirect_uri,
        scope=grant.scope,
        challenge=grant.challenge,
        method=grant.method,
    )
    return _back(grant, {"state": grant.state, "code": code})


def read_grant(call: Call, given: dict[str, str]) -> Grant:
    app = accounts.app(call.db, given.get("client_id", ""))
    if app is None:
        raise BadGrant("Unknown client_id.")
    redirect_uri = given.get("redirect_uri", "")
    if not _is_web_address(redirect_uri):
        raise BadGrant("redirect_uri is missing or is no http address.")
    registered = accounts.redirect_uris(app)
    if registered and redirect_uri not in registered:
        raise BadGrant("redirect_uri is not registered for this app.")
    if given.get("response_type") != "code":
        raise BadGrant("response_type must be code.")
    if not 0 < len(given.get("state", "")) <= MAX_STATE:
        raise BadGrant("state must be 1 to 500 characters.")
    method = given.get("code_challenge_method", "")
    if not given.get("code_challenge") or method not in ("S256", "plain"):
        raise BadGrant("code_challenge and code_challenge_method (S256 or plain) are required.")
    scope = " ".join(given.get("scope", "").split())
    unknown = set(scope.split()) - set(tokens.KNOWN_SCOPES)
    if not scope or unknown:
        raise BadGrant(f"scope is missing or has unknown parts: {' '.join(sorted(unknown))}")
    return Grant(app["client_id"], app["name"], redirect_uri, given["state"], scope, given["code_challenge"], method)


def _is_web_address(uri: str) -> bool:
    """Printable as well: a line break in it would end the location header."""
    try:
        return urlsplit(uri).scheme in ("http", "https") and uri.isprintable() and " " not in uri
    except ValueError:
        return False


def _back(grant: Grant, answer: dict[str, str]) -> Response:
    joint = "&" if urlsplit(grant.redirect_uri).query else "?"
    return redirect(f"{grant.redirect_uri}{joint}{urlencode(answer)}")


def _refusal(message: str) -> Response:
    body = f"<h1>Something went wrong</h1><p>You weren’t able to give access to the App. {escape(message)}</p>"
    return html_response(400, page("Sandbox X: cannot authorise", body, is_narrow=True))


def _page(call: Call, grant: Grant, error: str = "", handle: str = "") -> str:
    scopes = "".join(
        f"<li>{escape(_MEANINGS.get(scope, scope))} <span class=soft>({escape(scope)})</span></li>"
        for scope in grant.scope.split()
    )
    options = "".join(
        f'<option value="{escape(row["handle"])}">@{escape(row["handle"])}</option>'
        for row in accounts.everybody(call.db)
    )
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in _carried(grant).items()
    )
    message = f'<p class="error" id="error" role="alert">{escape(error)}</p>' if error else ""
    # Authorize comes first: the first button is what the Enter key presses.
    body = f"""<h1>Sandbox X: authorise {escape(grant.app_name)}?</h1>
<div class="card"><p>This app would like to:</p><ul>{scopes}</ul>
<form method="post" action="/x/i/oauth2/authorize">{hidden}{message}
<label for="account">Simulated account</label><select id="account" name="account">{options}</select>
<label for="handle">or a new one, by its handle</label>
<input id="handle" name="handle" value="{escape(handle)}" placeholder="my_shop" autocomplete="off" spellcheck="false">
<div class="row"><button id="authorize" class="main" name="decision" value="authorize">Authorize</button>
<button id="cancel" name="decision" value="cancel">Cancel</button></div>
</form></div>
<p class="soft">You go back to {escape(grant.redirect_uri)}</p>"""
    return page(f"Sandbox X: authorise {grant.app_name}?", body, is_narrow=True)


def _carried(grant: Grant) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": grant.client_id,
        "redirect_uri": grant.redirect_uri,
        "state": grant.state,
        "scope": grant.scope,
        "code_challenge": grant.challenge,
        "code_challenge_method": grant.method,
    }
