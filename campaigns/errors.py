class NotAllowedNow(Exception):
    """The object's state does not allow this act; the text tells the user why and what to do. (API: 409)"""


class StaleForm(NotAllowedNow):
    """Somebody else changed the content after this form was opened."""
