"""Taking posts back and hiding replies."""

from sandbox.ledger import Effect
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import bodies, posts, pricing, problems
from sandbox.x.reading import check_id


def delete_post(call: Call) -> Response:
    post = posts.find(call.db, check_id("id", call.args["id"]))
    if post is None:
        return json_response(404, problems.missing("tweet", "id", call.args["id"]) | {"status": 404})
    if not call.caller.owns(post["account_id"]):
        raise problems.forbidden("You are not allowed to delete this Tweet.")
    pricing.charge(call, pricing.DELETE)
    call.db.execute("UPDATE x_posts SET deleted_at = ? WHERE id = ?", (call.now, post["id"]))
    call.effect = Effect("delete", str(post["id"]), post["text"])
    return json_response(200, {"data": {"deleted": True}})


def hide_reply(call: Call) -> Response:
    """Only replies in conversations that the account itself has started can be hidden."""
    body = call.request.json()
    bodies.check(body, bodies.HIDE_REPLY)
    post = posts.find(call.db, check_id("tweet_id", call.args["tweet_id"]))
    if post is None:
        return json_response(404, problems.missing("tweet", "tweet_id", call.args["tweet_id"]) | {"status": 404})
    start = posts.find(call.db, post["conversation_id"])
    if post["replied_to"] is None or start is None or not call.caller.owns(start["account_id"]):
        raise problems.forbidden()
    call.db.execute("UPDATE x_posts SET is_hidden = ? WHERE id = ?", (body["hidden"], post["id"]))
    call.effect = Effect("hide" if body["hidden"] else "unhide", str(post["id"]), post["text"])
    return json_response(200, {"data": {"hidden": body["hidden"]}})
