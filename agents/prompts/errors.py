class PromptConflict(Exception):
    """What the assistant stands at does not allow this; the text says why and what to do. (API: 409)"""


class StalePrompt(PromptConflict):
    """Somebody else changed the assistant meanwhile."""
