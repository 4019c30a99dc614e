from compliance.guard.pipeline import check
from compliance.guard.port import Beside, Context, Decision, Draft, Hit, Media, Verdict

__all__ = ["Beside", "Context", "Decision", "Draft", "Hit", "Media", "Verdict", "check"]
