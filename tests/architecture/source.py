"""The project's Python files as the rules of tests/test_architecture.py read them."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies in the project and what it says."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        return ".".join(part for part in self.path.with_suffix("").parts if part not in {"__init__", "__main__"})

    @property
    def package(self) -> str:
        """The dotted name of the folder this file lies in."""
        return ".".join(self.path.parts[:-1])

    def within(self, *roots: str) -> bool:
        return self.path.parts[0] in roots

    @property
    def is_shipped(self) -> bool:
        """Part of what runs, not of what tests or measures it."""
        return self.within("xai_core", "pages", "app.py")

    @property
    def is_page(self) -> bool:
        return self.within("pages") and not self.module.startswith("pages.ui")

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in self._all_nodes if isinstance(node, kinds))

    @cached_property
    def _all_nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """Absolute dotted names, `from a import b` as a.b because b may be a module."""
        names: list[str] = []
        for node in self._all_nodes:
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names += [f"{self.base(node)}.{alias.name}" for alias in node.names]
        return tuple(names)

    def base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parts[: len(self.path.parts) - node.level]
        return ".".join([*package, *([node.module] if node.module else [])])

    @property
    def comment_count(self) -> int:
        """Comments that are no instructions to a tool."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
        return sum(not comment.startswith(("# noqa", "# type:", "# fmt:")) for comment in comments)

    @property
    def imported_packages(self) -> frozenset[str]:
        return frozenset(name.split(".")[0] for name in self.imports)

    @cached_property
    def calls(self) -> tuple[tuple[str, ast.Call], ...]:
        """Dotted name as written and node of each call, for example ("np.random.rand", …)."""
        return tuple((ast.unparse(node.func), node) for node in self._all_nodes if isinstance(node, ast.Call))


@cache
def sources() -> tuple[Source, ...]:
    """Return all files of the project, read and parsed once for all rules."""
    paths = [
        ROOT / "app.py",
        *(path for top in ("xai_core", "pages", "tests", "benchmarks") for path in (ROOT / top).rglob("*.py")),
    ]
    return tuple(
        Source(PurePosixPath(path.relative_to(ROOT).as_posix()), path.read_text(encoding="utf-8"))
        for path in sorted(paths)
        if path.is_file()
    )
