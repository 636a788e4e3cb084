"""`make fuzz`: a thousand broken, absurd and hostile pictures.

Each is refused in words or read rightly; exit code 1 where one is not.

Every case is made from seed and number alone, so a breach is repeated by `python -m benchmarks.fuzz.run --seed S --only
N`. How time and memory are measured is told in _fuzz_reading.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz.cases import Case, case, tried
from benchmarks.fuzz.guarded_reader import Outcome, Reader
from xai_core.images import read_image

Say = Callable[[str], None]


@dataclass
class Tally:
    """One line of the table: what became of one kind in one format."""

    count: int = 0
    refused: int = 0
    read: int = 0
    slowest: float = 0.0
    most_mb: float = 0.0

    def add(self, found: Outcome) -> None:
        self.count += 1
        self.refused += found.ending == "refused"
        self.read += found.ending == "read"
        self.slowest = max(self.slowest, found.seconds)
        self.most_mb = max(self.most_mb, found.extra_mb)


@dataclass
class Report:
    """All lines by (kind, format), and the breaches."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    def add(self, seed: int, each: Case, found: Outcome, wrong: Sequence[str]) -> None:
        self.tallies.setdefault((each.slot.kind, each.slot.format), Tally()).add(found)
        for fault in wrong:
            again = f"python -m benchmarks.fuzz.run --seed {seed} --only {each.number}"
            self.breaches.append(f"case {each.number} ({each.words}) {fault}. Again: {again}")

    def table(self) -> str:
        """Markdown, numbers to the right."""
        lines = [
            "| Kind | Format | Count | Refused | Read | Slowest, ms | Most memory, MB |",
            "|---|---|---:|---:|---:|---:|---:|",
        ]
        for (kind, form), tally in self.tallies.items():
            times = f"{tally.slowest * 1000:.0f} | {tally.most_mb:.1f}"
            lines.append(f"| {kind} | {form} | {tally.count} | {tally.refused} | {tally.read} | {times} |")
        return "\n".join(lines)


def fuzz(
    seed: int,
    numbers: Iterable[int],
    read: Reader = read_image,
    say: Say = lambda _text: None,
    save: Path | None = None,
) -> Report:
    """Try these cases. `save` is a folder into which the bytes of those that fail are written."""
    report = Report()
    for number in numbers:
        each = case(seed, number)
        found, wrong = tried(each, read)
        report.add(seed, each, found, wrong)
        for line in report.breaches[len(report.breaches) - len(wrong) :]:
            say(f"BREACH: {line}")
        if wrong and save is not None:
            _write(save, seed, each)
    return report


def _write(folder: Path, seed: int, each: Case) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed{seed}-case{each.number}.{each.slot.format.lower()}").write_bytes(each.data)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz.run", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="how many cases (default 1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another seed makes other cases (default 0)")
    parser.add_argument("--only", type=int, metavar="N", help="this case alone, with what was said of it")
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help="write the files that fail there (with --only: that file)"
    )
    args = parser.parse_args(argv)
    if args.count < 1 or args.seed < 0 or (args.only or 0) < 0:
        parser.error("--count is at least 1, --seed and --only at least 0")
    return args


def _one(seed: int, number: int, read: Reader, save: Path | None) -> int:
    each = case(seed, number)
    if save is not None:
        _write(save, seed, each)
    found, wrong = tried(each, read)
    print(f"Case {number} of seed {seed}: {each.words}; to be {each.must}.")
    print(f"It was {found.ending} after {found.seconds * 1000:.0f} ms, {found.extra_mb:.1f} MB. {found.text}")
    print("\n".join(f"BREACH: {fault}" for fault in wrong) or "Nothing is wrong with that.")
    return 1 if wrong else 0


def main(argv: Sequence[str] | None = None, read: Reader = read_image) -> int:
    """Try the cases, print the table and say by the exit code whether all is well."""
    args = _arguments(argv)
    if args.only is not None:
        return _one(args.seed, args.only, read, args.save)
    start = time.monotonic()
    report = fuzz(args.seed, range(args.count), read, lambda text: print(text, file=sys.stderr, flush=True), args.save)
    print(report.table())
    took = f"{args.count} files of seed {args.seed} in {time.monotonic() - start:.0f} s"
    print(f"\n{took}: {len(report.breaches)} breaches.", *report.breaches, sep="\n- " if report.breaches else "\n")
    return 1 if report.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
