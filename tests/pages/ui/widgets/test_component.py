"""Streamlit may call a component for older data after newer: what is newest stays on the page all the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser_tools import ROOT

CODE = (ROOT / "assets" / "component.js").read_text(encoding="utf-8")
CALLS = """async (calls) => {
  const place = document.createElement("div").attachShadow({ mode: "open" }), told = [];
  document.body.append(place.host);
  const create = () => { told.push("made"); return { dispose: () => told.push("gone") }; };
  const call = (words) => mountComponent(place, create, () => told.push(words));
  const ends = {};
  for (const [what, words] of calls) {
    if (what === "call") ends[words] = call(words);
    if (what === "overtaken") { const end = call(words); Promise.resolve(end).then((it) => it()); }
    if (what === "remove") { place.host.remove(); ends[words](); }
    if (what === "wait") await new Promise((done) => setTimeout(done, 20));
  }
  await new Promise((done) => setTimeout(done, 20));
  return told;
}"""
CASES = {
    "one after another": ([("call", "a"), ("wait", ""), ("call", "b")], ["made", "a", "b"]),
    "in one task": ([("call", "a"), ("call", "b")], ["made", "a", "b"]),
    "overtaken": ([("overtaken", "a"), ("call", "b")], ["made", "b"]),
    "overtaken, and called later": ([("call", "b"), ("overtaken", "a")], ["made", "b"]),
    "overtaken long after": ([("call", "b"), ("wait", ""), ("overtaken", "a")], ["made", "b"]),
    "removed": ([("call", "a"), ("wait", ""), ("remove", "a")], ["made", "a", "gone"]),
    "removed before it began": ([("call", "a"), ("remove", "a")], []),
}


@pytest.mark.parametrize("case", CASES)
def test_the_newest_call_stays(browser: Browser, case: str) -> None:
    calls, expected = CASES[case]
    with browser.new_page() as page:
        page.add_script_tag(content=CODE)
        assert page.evaluate(CALLS, [list(call) for call in calls]) == (expected or [])
