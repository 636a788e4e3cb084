"""Records of sanity tests: kept as data, found again by another process, named by the badge, and never green."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import xai_core
from xai_core import Attribution, trust
from xai_core.trust.sanity import records


@pytest.fixture
def result(tmp_path, monkeypatch) -> Attribution:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    # A picture of this test's own: a test of another one would be found in this process.
    small, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load().rotate(7)
    return xai_core.explain(small, image, "occlusion", 3)


def save(result: Attribution, verdict: str, picture: str = "") -> None:
    outcome: Any = SimpleNamespace(method=result.method, verdict=verdict)
    test = records.name_test(picture or result.image_sha256, result.layer, result.target)
    records.save_outcome(outcome, result.versions["weights"], test)


def judge(result: Attribution) -> xai_core.MapVerdict:
    return xai_core.judge([result], [trust.find_tests(result)], [trust.describe_record(result)])[0]


def test_an_unchanged_map_gets_red_also_after_a_restart(result) -> None:
    assert trust.find_tests(result) == () and trust.describe_record(result) == ""
    save(result, "unchanged")
    (check,) = trust.find_tests(result)
    assert check.level == "red" and judge(result).state == "distrust"
    assert "hardly changed in it" in str(judge(result))
    assert trust.find_tests(replace(result, target=4)) == (), "another class was not tested"


def test_a_changed_map_earns_nothing(result) -> None:
    before = judge(result)
    save(result, "changed")
    save(result, "changed", "f" * 64)
    after = judge(result)
    assert trust.find_tests(result) == () and after.state == before.state
    assert [finding.level for finding in after.findings] == [finding.level for finding in before.findings]
    assert "In two tests with this model" in str(after) and "this proves nothing" in str(after)
    save(result, "unchanged", "e" * 64)
    assert "In three tests" in str(judge(result)) and "hardly changed in one of them" in str(judge(result))


def test_damaged_records_count_as_none_and_old_ones_go(result, tmp_path) -> None:
    for number in range(records.MAX_OUTCOMES + 5):
        save(result, "changed", f"{number:064}"[::-1])
    outcomes = records.find_outcomes(result.method, result.versions["weights"])
    oldest = records.name_test(f"{3:064}"[::-1], result.layer, result.target)
    assert len(outcomes) == records.MAX_OUTCOMES and oldest not in outcomes
    (file,) = (tmp_path / "sanity").glob("*.json")
    file.write_text("[]", encoding="utf-8")
    assert trust.describe_record(result) == ""
    save(result, "changed")
    assert "In one test" in trust.describe_record(result)
