"""Errors a visitor may see. Their text is a whole sentence: what was wrong, what is allowed, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class XaiError(Exception):
    """Base of every error whose text may be shown to a visitor as it is."""


class InvalidImage(XaiError):
    """The bytes given are not a picture this project can read."""


class InvalidTable(XaiError):
    """The bytes given are not a readable table, or the choice of target and features cannot be learned from."""


class InvalidSet(XaiError):
    """The zip or folder given is not a set of pictures this project can read, or it is no longer kept."""


class InvalidParam(XaiError):
    """A parameter, target or layer is outside what is allowed."""


class UnknownName(XaiError):
    """A method, model, sample or label of this name does not exist.

    `sentence` is what visitors read of it on a page that has a list to choose from: without the names in code.
    """

    def __init__(self, text: str, sentence: str = "") -> None:
        super().__init__(text)
        self.sentence = sentence or text

    @classmethod
    def of(cls, kind: str, name: object, known: Iterable[str]) -> UnknownName:
        """Return the error with the nearest known names in its sentence."""
        names = list(known)
        near = get_close_matches(str(name).lower(), names, n=3, cutoff=0.5)
        hint = (
            f"Did you mean {' or '.join(near)}?"
            if near
            else f"Known: {', '.join(names[:12])}{', …' if len(names) > 12 else '.'}"
        )
        short = str(name)[:80]
        return cls(f"There is no {kind} called {short!r}. {hint}", f"There is no {kind} called “{short}”.")


class NotApplicable(XaiError):
    """The method cannot be right on this model; the text says why."""


class ModelUnavailable(XaiError):
    """The model's weights are not here and cannot be fetched."""


class Cancelled(XaiError):
    """The work was stopped on request."""
