"""How runs stop, and why acts on them are refused."""


class Stop(BaseException):
    """Steers a worker. No Exception: a workflow that catches everything must not catch this."""


class ClaimLost(Stop):
    """Somebody else has the run, or it has ended: write nothing, say nothing."""


class Paused(Stop):
    """The run waits for a person, or for its turn; that is written already."""


class OutOfTime(Stop):
    """The run's deadline has passed."""


class RunFailed(Exception):
    """Ends the run as failed, unless its workflow catches it. `code` is for programs, the text for users."""

    def __init__(self, code: str, text: str, *, is_retryable: bool = False) -> None:
        super().__init__(text)
        self.code, self.text, self.is_retryable = code, text, is_retryable


class StepFailed(RunFailed):
    """An effect was refused. Caught by the workflow, it is written down and raised again in every replay."""


class RunConflict(Exception):
    """The run's or the thread's state does not allow this act. (API: 409)"""


class ThreadBusy(RunConflict):
    """The thread has a run that has not ended, and the caller did not want to wait."""


class AlreadyAnswered(RunConflict):
    """Somebody was faster, or it was answered before: nothing happened."""


class KeyReused(RunConflict):
    """The idempotency key belongs to another request."""
