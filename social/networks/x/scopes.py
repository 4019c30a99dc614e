"""What we ask of an account, and what is lost without it."""

SCOPES = {
    "tweet.read": "read posts",
    "tweet.write": "publish posts",
    "users.read": "see which account this is",
    "media.write": "upload images and videos",
    "tweet.moderate.write": "hide answers",
    "offline.access": "stay connected for more than two hours",
}
# What a connection with OAuth 1.0a keys has instead of scopes.
OAUTH1 = "oauth1"
