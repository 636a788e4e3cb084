"""Columns that name or count rows, persons or things, by their names and their values."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from xai_core.tabular.data.column import Column

# A column with more distinct values than this, nearly one a row, is taken for a name or a number of the row.
MIN_IDENTIFIER_VALUES = 20
MIN_IDENTIFIER_SHARE = 0.9
# Distinct values from which a name is believed: a clear one, one of a person or thing, one that has other meanings.
MIN_CLEAR, MIN_ENTITY, MIN_VAGUE = 3, 8, 20
_COUNTER_NAMES = frozenset("id index row nr no number key uuid".split())
_CLEAR = frozenset("id ids uuid guid userid pid uid ssn isbn iban".split())
_VAGUE = frozenset("nr no num number key code nummer numero número numéro".split())
_ENTITIES = frozenset(
    """
    patient client customer user subject person participant respondent member employee student pupil household account
    order invoice transaction visitor session device driver passenger borrower applicant donor player
    kunde kunden patientin patienten proband probanden haushalt mitarbeiter schüler cliente paciente usuario empleado
    alumno sujet élève utilisateur employé
    """.split()
)
_WORDS = re.compile(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüßáéíóúñçêè]+|\d+")


def is_row_name(column: Column, values: pd.Series, distinct: int, *, is_first: bool) -> bool:
    """Return whether a column names or counts the rows, so that a model could only learn them by heart."""
    if distinct <= MIN_IDENTIFIER_VALUES:
        return False
    if column.kind == "category":
        return bool(distinct > MIN_IDENTIFIER_SHARE * (len(values) - column.missing))
    if not column.whole or distinct != len(values):
        return False
    steps = np.diff(values.to_numpy())
    counts_up = bool(np.all(steps > 0)) and (is_first or bool(np.all(steps == steps[0])))
    return counts_up or column.name.lower().replace("_", " ").split()[-1] in _COUNTER_NAMES or _has_clear_name(column)


def is_repeated_id(column: Column, distinct: int) -> bool:
    """Return whether a column is named like the id of a person or thing, and several rows share one."""
    if column.kind in ("boolean", "date") or (column.kind == "numeric" and not column.whole):
        return False
    words = _split_name(column.name)
    if not words:
        return False
    if _has_clear_name(column):
        return distinct >= MIN_CLEAR
    if len(words) > 1:
        return False
    return distinct >= MIN_ENTITY if words[0] in _ENTITIES else words[0] in _VAGUE and distinct > MIN_VAGUE


def _has_clear_name(column: Column) -> bool:
    words = _split_name(column.name)
    if not words:
        return False
    begins_with_id = words[0] == "id" and all(word in _ENTITIES for word in words[1:])
    numbers_entity = len(words) > 1 and words[-1] in _VAGUE and words[-2] in _ENTITIES
    is_glued = any("".join(words) == entity + end for entity in _ENTITIES for end in ("id", "nr", "no", "nummer"))
    return words[-1] in _CLEAR or begins_with_id or numbers_entity or is_glued


def _split_name(name: str) -> list[str]:
    """Return the words of a column's name in small letters: "PatientID" is patient, id."""
    return [word.lower() for word in _WORDS.findall(name) if not word.isdigit()]
