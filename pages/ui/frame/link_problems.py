"""Names of a link that do not exist here, said above the page with what is shown in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xai_core import UnknownName, XaiError


class PartlyUnknown(XaiError):
    """Some names of a list do not exist; `value` has those that do."""

    def __init__(self, problem: UnknownName, value: list[str]) -> None:
        super().__init__(str(problem))
        self.problem = problem
        # Of the same type as the values of the setting that is read.
        self.value: Any = value


@dataclass(frozen=True)
class LinkProblem:
    """The reason why a value of a link is not in use, and the value of the widget `key` that is.

    `title`: that value in words; "" where nothing is chosen, and the page chooses itself.
    """

    reason: XaiError
    key: str
    value: object
    title: str

    def holds(self, key: str, value: object) -> bool:
        """Return True until the visitor chooses something else."""
        return (key, value) == (self.key, self.value)

    def describe(self) -> str:
        """Return the reason and what is shown instead, in sentences."""
        reason = self.reason.problem if isinstance(self.reason, PartlyUnknown) else self.reason
        sentence = reason.sentence if isinstance(reason, UnknownName) else str(reason)
        return f"{sentence} Shown instead: {self.title or 'the usual choice'}."
