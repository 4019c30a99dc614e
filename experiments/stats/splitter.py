"""The drawing of arms, as the redirect of short links does it: it stands in `lib`, below both."""

from lib.splitting import FULL, Assignment, Split, assign, is_enrolled, score

__all__ = ["FULL", "Assignment", "Split", "assign", "is_enrolled", "score"]
