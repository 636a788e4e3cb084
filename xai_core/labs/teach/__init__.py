"""Own classes taught from a visitor's pictures: a new head on the features of a bundled network."""

from __future__ import annotations

from xai_core.labs.model_file import MAX_FILE_MB, SUFFIX
from xai_core.labs.teach.class_names import MAX_CLASSES, MIN_CLASSES, check_name, make_name
from xai_core.labs.teach.examples import (
    BASE,
    MAX_PER_CLASS,
    Example,
    Reading,
    add_example,
    embed,
    find_example,
    read_files,
    read_set,
)
from xai_core.labs.teach.learning import FEW_PICTURES, Taught, teach
from xai_core.labs.teach.network import find_taught, put_model, replace_head
from xai_core.labs.teach.saving import open_taught, save_taught
from xai_core.labs.teach.wording import describe_taught

__all__ = [
    "BASE",
    "FEW_PICTURES",
    "MAX_CLASSES",
    "MAX_FILE_MB",
    "MAX_PER_CLASS",
    "MIN_CLASSES",
    "SUFFIX",
    "Example",
    "Reading",
    "Taught",
    "add_example",
    "check_name",
    "describe_taught",
    "embed",
    "find_example",
    "find_taught",
    "make_name",
    "open_taught",
    "put_model",
    "read_files",
    "read_set",
    "replace_head",
    "save_taught",
    "teach",
]
