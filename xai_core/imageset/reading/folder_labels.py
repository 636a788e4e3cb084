"""Labels of pictures by the folders they lie in; folders that only divide or wrap a set are never labels.

The labels are the outermost folders that differ between pictures, after these are left out:

- a folder around everything, and one whose folders lie beside it once more (a set that was packed twice);
- parts of a set (train, test images, fold 3 …), where all folders beside them are parts, too, or two are, or folders of
  labels lie in them. A single one without such folders, beside others, is a label like them: a picture of a train;
- folders most of whose folders have the same names, whatever they are called: two cameras that both saw cats and dogs.

Pictures outside the folders of the labels have none. Neither the order of names nor the number of pictures matters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from xai_core.imageset.reading.label_texts import clean_label, fold_name

Path = tuple[str, ...]

# Deeper nesting is no way to keep pictures.
MAX_LEVELS = 40
# Longer names are none of parts; a bound on the time that the pattern takes.
MAX_PART_LETTERS = 40
# Folders that a note names.
MAX_NAMED = 6
_SPLITS = (
    "train|trainings?|test|testing|tst|val|valid|validate|validation|dev|eval|evaluation|holdout|holdouts|heldout"
    "|pred|predict|prediction|predictions|inference|submission|unlabeled|unlabelled|unsupervised|labeled|labelled|extra"
    "|fold|kfold|split|subset|part|partition|batch"
    "|validierung|pruefung|prufung|lernen|apprentissage|entrainement|essai|entrenamiento|prueba|pruebas"
    "|validacion|addestramento|treino|teste|validacao|обучение|тест|проверка|валидация"
    "|обучающая|тестовая|выборка|훈련|학습|시험|검증|테스트"
    "|训练|訓練|测试|測試|验证|驗證|学習|テスト|検証|評価|训练集|测试集|验证集"
)
_FILLERS = (
    "set|sets|data|dataset|datasets|image|images|img|imgs|picture|pictures|pic|pics|photo|photos|file|files|folder|dir"
    "|sample|samples|single|jpg|jpeg|jpegs|jpegimages|png|pngs|bilder|bild|daten|donnees|imagenes|imagen|datos"
)
_PART = re.compile(f"(?:{_SPLITS}|{_FILLERS})+")
_DIGITS = re.compile(r"\d+")
_BORDER = r"(?:[\W_]+|(?-i:(?<=[a-z])(?=[A-Z])))"
_SPLIT_FIRST = re.compile(rf"(?P<split>{_SPLITS}){_BORDER}(?P<rest>.+)", re.IGNORECASE)
_SPLIT_LAST = re.compile(rf"(?P<rest>.+?){_BORDER}(?P<split>{_SPLITS})[\W_]*\d*", re.IGNORECASE)


@dataclass(frozen=True)
class FolderLabels:
    """Label of each picture, "" for none, and sentences on the folders that were taken for something else."""

    labels: list[str]
    notes: tuple[str, ...] = ()


def label_by_folder(names: Sequence[str]) -> FolderLabels:
    """Return the labels of pictures by their names with "/" between folders.

    >>> label_by_folder(["all/train/cat/1.png", "all/test/dog/2.png", "all/test/3.png"]).labels
    ['cat', 'dog', '']
    """
    folders = [tuple(unicodedata.normalize("NFC", name).split("/")[:-1]) for name in names]
    tree = _FolderTree(set(folders))
    by_folder = tree.find_labels()
    labels = [clean_label(by_folder[folder]) for folder in folders]
    return FolderLabels(labels, tree.describe(any(labels)))


class _FolderTree:
    """Folders of a set with what is left of their paths while outer ones are left out."""

    def __init__(self, folders: Collection[Path]) -> None:
        self._rest = {folder: folder for folder in folders}
        self._parts: set[str] = set()
        self._split_names: set[str] = set()
        self._part_labels: set[str] = set()

    def find_labels(self) -> Mapping[Path, str]:
        outermost, around = dict[Path, str](), ""
        for _ in range(MAX_LEVELS):
            around = self._drop_common_path() or around
            beside = {path[0] for path in self._rest.values() if path}
            if len(beside) < 2:
                # One folder beside loose pictures may be the only label, unless it holds all of the others.
                if not outermost and not all(map(is_part, beside)):
                    outermost = self._first_folders()
                if not beside:
                    return outermost or dict.fromkeys(self._rest, "")
                around = beside.pop()
                self._drop({around})
            elif not (self._drop_wrappers(beside, around) or self._drop_parts(beside) or self._drop_groups(beside)):
                self._part_labels = {name for name in beside if is_part(name)}
                return self._first_folders()
        return dict.fromkeys(self._rest, "")

    def describe(self, has_labels: bool) -> tuple[str, ...]:
        """Return sentences on the folders left out, and on those that might have been."""
        notes = []
        if self._parts:
            parts = _list_names(self._parts)
            notes.append(
                f"The labels are the names of the folders inside {parts}, which only divide the set."
                if has_labels
                else f"Folders that only divide the set are not labels: {parts}."
            )
        if self._split_names:
            notes.append(
                f"“train”, “test” and the like are not part of the labels of {_list_names(self._split_names)}."
            )
        if self._part_labels:
            notes.append(f"The folder {_list_names(self._part_labels)} was taken for a label, as those beside it are.")
        return tuple(notes)

    def _drop_common_path(self) -> str:
        """Leave out the folders around everything, and return the innermost."""
        # What the first and the last in order share, all share.
        first, last = min(self._rest.values()), max(self._rest.values())
        pairs = enumerate(zip(first, last, strict=False))
        shared = next((depth for depth, (a, b) in pairs if a != b), min(len(first), len(last)))
        self._rest = {folder: path[shared:] for folder, path in self._rest.items()}
        return first[shared - 1] if shared else ""

    def _first_folders(self) -> dict[Path, str]:
        return {folder: path[0] if path else "" for folder, path in self._rest.items()}

    def _drop(self, names: Collection[str]) -> None:
        self._rest = {folder: path[1:] if path and path[0] in names else path for folder, path in self._rest.items()}

    def _drop_wrappers(self, beside: Set[str], around: str) -> bool:
        """Leave out folders called as the one around them, or whose folders lie beside them once more."""
        inside: dict[str, set[str]] = {}
        for path in self._rest.values():
            if len(path) > 1:
                inside.setdefault(path[0], set()).add(path[1])
        wrappers = {
            name
            for name, folders in inside.items()
            if name == around or 2 * (len(folders & beside) - (name in folders)) >= len(folders)
        }
        self._drop(wrappers)
        return bool(wrappers)

    def _drop_parts(self, beside: Collection[str]) -> bool:
        """Leave out parts of the set, or take "train" out of cat_train and dog_train."""
        by_rest = _group_by_rest(name for name in beside if not is_part(name))
        parts = {name for name in beside if is_part(name)}
        if len(by_rest) == 1:
            parts |= set(*by_rest.values())
        elif by_rest:
            labels = {name: rest for rest, names in by_rest.items() for name in names}
            self._rest = {
                folder: (labels.get(path[0], path[0]), *path[1:]) if path else path
                for folder, path in self._rest.items()
            }
            self._split_names |= set(labels)
            return True
        inside = {label for path in self._rest.values() if path and path[0] in parts if (label := _label_inside(path))}
        if not parts:
            return False
        if len(parts) == 1 and len(beside) > 1 and not inside:
            return False
        outside = set(beside) - parts - inside if inside else set()
        self._rest = {folder: () if path and path[0] in outside else path for folder, path in self._rest.items()}
        self._drop(parts)
        self._parts |= parts
        return True

    def _drop_groups(self, beside: Collection[str]) -> bool:
        """Leave out folders most of whose folders have the same names."""
        inside: dict[str, set[str]] = {}
        for path in self._rest.values():
            if label := _label_inside(path):
                inside.setdefault(path[0], set()).add(label)
        counts = Counter(label for labels in inside.values() for label in labels)
        repeated = {label for label, count in counts.items() if count > 1}
        holders = sum(not labels.isdisjoint(repeated) for labels in inside.values())
        if len(counts) < 2 or 2 * len(repeated) < len(counts) or 2 * holders < len(beside):
            return False
        self._drop(beside)
        self._parts |= set(inside)
        return True


@lru_cache(maxsize=4096)
def is_part(name: str) -> bool:
    """Say if a folder's name is that of a part of a set, or means nothing but that pictures are in it.

    >>> is_part("01_Training-Set"), is_part("test images"), is_part("train2017"), is_part("bullet train"), is_part("7")
    (True, True, True, False, False)
    """
    letters = _DIGITS.sub("", fold_name(name[:MAX_PART_LETTERS]))
    return len(name) <= MAX_PART_LETTERS and _PART.fullmatch(letters) is not None


def _group_by_rest(names: Iterable[str]) -> dict[str, set[str]]:
    """Group names by what is left of them without "train", "test" …, where two or more such words go with the same."""
    groups: dict[str, dict[str, set[str]]] = {}
    for name in names:
        match = _SPLIT_LAST.fullmatch(name) or _SPLIT_FIRST.fullmatch(name)
        if match:
            groups.setdefault(match["rest"], {}).setdefault(match["split"].lower(), set()).add(name)
    return {rest: set().union(*splits.values()) for rest, splits in groups.items() if len(splits) > 1}


def _label_inside(path: Path) -> str:
    """Return the first folder inside the first one that is no part of a set, or ""."""
    return next((name for name in path[1:] if not is_part(name)), "")


def _list_names(names: Collection[str]) -> str:
    words = ", ".join(f"“{name}”" for name in sorted(names)[:MAX_NAMED])
    return words + (" and others" if len(names) > MAX_NAMED else "")
