"""The closed words of reading strangers: nothing else leaves the reader."""

from enum import StrEnum


class Intent(StrEnum):
    PRAISE = "praise"
    QUESTION = "question"
    COMPLAINT = "complaint"
    REQUEST = "request"
    OPT_OUT = "opt_out"
    DATA_REQUEST = "data_request"
    BOT = "are_you_a_bot"
    REMEMBER = "remember_request"
    SPAM = "spam"
    ATTACK = "attack"
    OTHER = "other"


class Risk(StrEnum):
    OVERRIDE = "override"
    FORGED_ROLE = "forged_role"
    IMPERSONATION = "impersonation"
    SECRET = "secret"  # noqa: S105  (a kind of request)
    PERSONAL_DATA = "personal_data"
    COMMAND = "command"
    ECHO = "echo"
    MEMORY_RULE = "memory_rule"
    FETCH = "fetch"
    LURE = "lure"
    HOSTILE = "hostile"
    # Found only in what nobody sees, or once it is decoded.
    HIDDEN = "hidden"


class Topic(StrEnum):
    PRICE = "price"
    DELIVERY = "delivery"
    RETURNS = "returns"
    BOOKING = "booking"
    PRODUCT = "product"
    USAGE = "usage"
    STOCK = "stock"
    OPENING_HOURS = "opening_hours"
    LOCATION = "location"
    PAYMENT = "payment"
    ACCOUNT = "account"
    SAFETY = "safety"
    PEOPLE = "people"
    OFFERS = "offers"
    OTHER = "other"


class Want(StrEnum):
    """What a reply would have to hold."""

    INFORMATION = "information"
    LINK = "link"
    CHANGE = "change"
    REFUND = "refund"
    PERSON = "person"
    NOTHING = "nothing"


class Route(StrEnum):
    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    ANSWER = "answer"
    DSAR = "answer_dsar"
    OPT_OUT = "optout"
    MEMORY = "memory"
    BOT = "answer_ai_disclosure"
    SUMMARISE = "summarise"
    # A person reads it; nothing is drafted.
    REVIEW = "review"
