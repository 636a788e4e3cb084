"""Pictures of a set by what a table calls them: with folders or without, with an ending or without, in any case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from xai_core.imageset.reading.file_roles import PICTURE_ENDINGS, split_name

# More pictures of one name are not told apart by parts of their paths.
MAX_CANDIDATES = 50
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/|[a-z]+://")


class PictureIndex:
    """Finds the row of a picture by a path that is written otherwise. `folder` is the one in which the table lies."""

    def __init__(self, names: Sequence[str], folder: str = "") -> None:
        self._names = [unicodedata.normalize("NFC", name) for name in names]
        self._exact = {name: row for row, name in enumerate(self._names)}
        self._folder = unicodedata.normalize("NFC", folder)
        # What the first and the last in order share, all share.
        ends = (min(self._names, default=""), max(self._names, default=""))
        shared = "".join(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(*ends, strict=False))).rpartition(
            "/"
        )[0]
        self._root_letters = len(shared) + 1 if shared else 0
        self._by_stem: dict[str, list[int]] = {}
        self._by_folder: dict[str, list[int]] = {}
        for row, name in enumerate(self._names):
            path, stem, _ = split_name(name.casefold())
            self._by_stem.setdefault(stem, []).append(row)
            self._by_folder.setdefault(f"{path.rpartition('/')[2]}/{stem}", []).append(row)

    def find(self, path: str) -> int | None:
        """Return the row of the only picture that a path may mean, else None."""
        path = unicodedata.normalize("NFC", path).strip().replace("\\", "/")
        is_absolute = _ABSOLUTE.match(path) is not None
        path = path.removeprefix("./").strip("/")
        exact = self._exact.get(path, self._exact.get(f"{self._folder}/{path}"))
        return self._find_alike(path, is_absolute) if exact is None and path else exact

    def _find_alike(self, path: str, is_absolute: bool) -> int | None:
        folder, stem, ending = split_name(path.casefold())
        if ending not in PICTURE_ENDINGS:
            stem, ending = path.casefold().rpartition("/")[2], ""
        folders = folder.split("/") if folder else []
        rows = self._by_folder.get(f"{folders[-1]}/{stem}", []) if folders else []
        rows = rows or self._by_stem.get(stem, [])
        if len(rows) > MAX_CANDIDATES:
            return None
        ranks = {row: rank for row in rows if (rank := self._rank(row, path, folders, ending, is_absolute)) is not None}
        best = [row for row, rank in ranks.items() if rank == max(ranks.values())]
        return best[0] if len(best) == 1 else None

    def _rank(
        self, row: int, path: str, folders: Sequence[str], ending: str, is_absolute: bool
    ) -> tuple[int, bool] | None:
        """Return how many folders agree, and whether the case does; None where the path means another picture."""
        name = self._names[row]
        own_folder, _, own_ending = split_name(name[self._root_letters :].casefold())
        if ending and ending != own_ending:
            return None
        own = split_name(name.casefold())[0].split("/") if "/" in name else []
        pairs = zip(reversed(own), reversed(folders), strict=False)
        shared = next((depth for depth, (a, b) in enumerate(pairs) if a != b), min(len(own), len(folders)))
        # A path from another place may begin otherwise, but the folder of the picture must not be another.
        if folders and own_folder and not shared and not is_absolute:
            return None
        return shared, name.endswith(path) or split_name(name)[1] == path.rpartition("/")[2]
