"""Every text of the project that a visitor may read: `python -m tests.visible_sentences` lists them for a copy-edit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_JS_TEXT = re.compile(r'"([^"\n]+)"|`([^`]+)`')
# Texts of the engine's database, of fonts and styles, and words that the readers of foreign files look for.
_NOT_VISIBLE = re.compile(
    r"^(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|<style|https?:|default-src)|[{;] ?[a-z-]+: [^{]*;"
)
_WORD_LISTS = ("values/month_names", "values/number_words", "data/natural_order")


def _read_text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return None


def list_python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) for each string that may be a sentence or a title: with a blank or a capital in front.

    Docstrings are left out; what a text inserts stands as {…}.
    """
    tree = ast.parse(source)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = None if id(node) in skipped else _read_text(node)
        if text and (" " in text.strip() or re.match(r"[A-Z][a-z]", text)) and not _NOT_VISIBLE.search(text):
            yield getattr(node, "lineno", 0), text


def _list_script_texts(source: str) -> Iterator[tuple[int, str]]:
    for match in _JS_TEXT.finditer(source):
        text = match[1] or match[2]
        if " " in text.strip() and not _NOT_VISIBLE.search(text):
            yield source.count("\n", 0, match.start()) + 1, text


def list_texts() -> Iterator[tuple[str, int, str]]:
    """Yield (file, line, text) for the app's pages, the core, the method cards and the browser parts."""
    for path in [ROOT / "app.py", *sorted(ROOT.glob("pages/**/*.py")), *sorted(ROOT.glob("xai_core/**/*.py"))]:
        if not any(words in path.as_posix() for words in _WORD_LISTS):
            yield from ((_name(path), *entry) for entry in list_python_texts(path.read_text()))
    for path in sorted(ROOT.glob("assets/*.js")):
        yield from ((_name(path), *entry) for entry in _list_script_texts(path.read_text()))
    texts = (path for folder in ("methods", "topics", "vocabulary") for path in ROOT.glob(f"assets/{folder}/*.md"))
    for path in sorted(texts):
        yield from ((_name(path), *line) for line in enumerate(path.read_text().splitlines(), 1))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    for file, line, text in list_texts():
        print(f"{file}:{line}: {text!r}")
