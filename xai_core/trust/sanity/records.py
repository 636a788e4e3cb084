"""Outcomes of tests by shuffled weights, kept on disk as data for the badges of later maps: a small file a model."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from filelock import FileLock

from xai_core import settings
from xai_core.formatting import count_in_words
from xai_core.results import Attribution, Target
from xai_core.trust.sanity.randomization import Randomization, SanityVerdict

VERSION = 1
# Of one method on one model: the oldest go.
MAX_OUTCOMES = 50
Outcomes = Mapping[str, SanityVerdict]
"""Verdict of each test by picture, layer and class, the oldest first."""


def name_test(image_sha256: str, layer: str | None, target: Target) -> str:
    """Return the name of a test within the record of a method."""
    return f"{image_sha256[:24]} {layer or '-'} {target}"


def save_outcome(result: Randomization, weights_sha256: str, test: str) -> None:
    """Add the outcome of a test to the record of its method; a disk that takes nothing is no error."""
    file = _find_file(weights_sha256)
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            records = {method: dict(outcomes) for method, outcomes in _read(file).items()}
            outcomes = records.setdefault(result.method, {})
            outcomes.pop(test, None)
            outcomes[test] = result.verdict
            for oldest in list(outcomes)[:-MAX_OUTCOMES]:
                del outcomes[oldest]
            with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as staging:
                json.dump({"version": VERSION, "methods": records}, staging)
            Path(staging.name).replace(file)


def find_outcomes(method: str, weights_sha256: str) -> Outcomes:
    """Return the outcomes of a method's tests on a model, empty where there are none."""
    return _read(_find_file(weights_sha256)).get(method, MappingProxyType({}))


def find_own_outcome(result: Attribution) -> SanityVerdict | None:
    """Return the outcome of the test on a map's own picture, layer and class; None where there is none."""
    outcomes = find_outcomes(result.method, result.versions.get("weights", ""))
    return outcomes.get(name_test(result.image_sha256, result.layer, result.target))


def describe_record(result: Attribution) -> str:
    """Return what tests of a map's method on its model came to, in a sentence; empty where there was none."""
    outcomes = list(find_outcomes(result.method, result.versions.get("weights", "")).values())
    if not outcomes:
        return ""
    unchanged = outcomes.count("unchanged")
    tests = "one test" if len(outcomes) == 1 else f"{count_in_words(len(outcomes))} tests"
    if unchanged:
        share = "it" if len(outcomes) == 1 else f"{count_in_words(unchanged)} of them"
        return (
            f"In {tests} with this model its map hardly changed in {share} when the weights were shuffled: this speaks "
            "against the method."
        )
    return (
        f"In {tests} with this model its map did not stay the same when the weights were shuffled: this proves nothing."
    )


def _find_file(weights_sha256: str) -> Path:
    return settings.data_dir("sanity") / f"{weights_sha256[:24] or 'unknown'}.json"


def _read(file: Path) -> Mapping[str, Outcomes]:
    try:
        state = os.stat(file)
    except OSError:
        return MappingProxyType({})
    return _read_version(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _read_version(file: Path, _changed: int, _size: int) -> Mapping[str, Outcomes]:
    """Return the records in a file; a damaged one, or one of another version, counts as empty."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return MappingProxyType(dict(content["methods"]) if content["version"] == VERSION else {})
    except (OSError, ValueError, TypeError, KeyError):
        return MappingProxyType({})
