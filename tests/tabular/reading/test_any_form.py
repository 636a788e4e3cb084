"""The same numbers and words come back, whatever form a table is written in."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given, settings, strategies as st

from tests.text_decoding.corpus import ENCODINGS_OF, WORDS
from xai_core.tabular import read_table

ROWS = 40
FORMS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "language": st.sampled_from(sorted(WORDS)),
        "mark": st.sampled_from(",;\t|"),
        "quote": st.sampled_from("\"'"),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "line_end": st.sampled_from(["\n", "\r\n", "\r"]),
        "decimal_mark": st.sampled_from(".,"),
        "thousands_mark": st.sampled_from(["", "blank", "other"]),
        "above": st.sampled_from(["", "Report of 2024\n\n", "# made by a program\n", "\n\n"]),
        "encoding": st.integers(0, 10),
    }
)


def write_number(value: float, decimal_mark: str, thousands_mark: str) -> str:
    text = f"{value:,.2f}"
    thousands = {"": "", "blank": "\u202f", "other": "." if decimal_mark == "," else ","}[thousands_mark]
    return text.replace(",", "T").replace(".", decimal_mark).replace("T", thousands)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(FORMS)
def test_the_same_numbers_and_words_come_back(form: dict[str, object]) -> None:
    rng = np.random.default_rng(form["seed"])  # type: ignore[arg-type]
    language, decimal_mark, thousands_mark = (str(form[key]) for key in ("language", "decimal_mark", "thousands_mark"))
    encodings = ["utf-8", "utf-8-sig", "utf-16", *ENCODINGS_OF[language].split()]
    encoding = encodings[int(str(form["encoding"])) % len(encodings)]
    # A narrow blank exists in Unicode only.
    thousands_mark = "" if thousands_mark == "blank" and not encoding.startswith("utf") else thousands_mark
    words = [word for word in WORDS[language].split() if len(word) > 1]
    # Romanian is written with cedillas in encodings older than its own commas.
    words = [word.translate(str.maketrans("șțȘȚ", "şţŞŢ")) for word in words][:14]
    numbers = rng.uniform(-5_000_000, 5_000_000, ROWS).round(2)
    amounts = rng.uniform(0, 99, ROWS).round(2)
    picked = [str(word) for word in rng.choice(words[2:8], ROWS)]
    picked[:6] = words[2:8]
    rows = [
        [word, write_number(number, decimal_mark, thousands_mark), write_number(amount, decimal_mark, "")]
        for word, number, amount in zip(picked, numbers, amounts, strict=True)
    ]
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=str(form["mark"]),
        quotechar=str(form["quote"]),
        quoting=form["quoting"],  # type: ignore[arg-type]
        lineterminator="\n",
    )
    writer.writerows([["w", "number", words[1]], *rows])
    text = (str(form["above"]) + out.getvalue()).replace("\n", str(form["line_end"]))
    raw = read_table(text.encode(encoding), encoding=encoding.removesuffix("-sig"))
    assert list(raw.frame.columns) == ["w", "number", words[1]]
    assert raw.frame["w"].tolist() == picked
    np.testing.assert_allclose(raw.frame["number"], numbers, rtol=1e-12)
    np.testing.assert_allclose(raw.frame[words[1]], amounts, rtol=1e-12)
    guessed = read_table(text.encode(encoding))
    assert guessed.frame["w"].tolist() == picked or not guessed.encoding_is_sure
