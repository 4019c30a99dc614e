from compliance.guard.pipeline import check
from compliance.guard.port import Context, Decision, Draft, Hit, Media, Verdict

__all__ = ["Context", "Decision", "Draft", "Hit", "Media", "Verdict", "check"]
