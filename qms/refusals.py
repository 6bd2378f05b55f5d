"""Refused: the procedure does not allow this now; the message says why, in words for people."""


class Refused(Exception):
    """A refusal in words: what is wrong and what to do. Pages answer 422, the API too.

    `field` names the form field the sentence belongs to, where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Stale(Refused):
    """The record was changed after the page was opened. Pages answer 409 and keep the entry."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or "Someone changed this meanwhile. Look at the new version, then try again."
        )
