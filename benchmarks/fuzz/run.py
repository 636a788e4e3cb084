"""`make fuzz`: a thousand broken, absurd and hostile pictures, and as many tables and zips.

Each is to be refused in words or read correctly; exit code 1 where one is not.

Every case is built from seed and number alone; `python -m benchmarks.fuzz.run --suite U --seed S --only N` repeats one.
guarded_reader.py describes the measurement of time and memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz.cases import Case, build_case, try_case
from benchmarks.fuzz.guarded_reader import Outcome, Reader
from benchmarks.fuzz.suites import SUITES

Log = Callable[[str], None]


@dataclass
class Tally:
    """One line of the table: the outcomes of one kind in one format."""

    count: int = 0
    refused: int = 0
    read: int = 0
    max_seconds: float = 0.0
    max_mb: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.count += 1
        self.refused += outcome.ending == "refused"
        self.read += outcome.ending == "read"
        self.max_seconds = max(self.max_seconds, outcome.seconds)
        self.max_mb = max(self.max_mb, outcome.extra_mb)


@dataclass
class Report:
    """All tallies of a suite by (kind, format), and the breaches."""

    suite: str
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    def add(self, seed: int, case: Case, outcome: Outcome, wrong: Sequence[str]) -> None:
        self.tallies.setdefault((case.slot.kind, case.slot.format), Tally()).add(outcome)
        for fault in wrong:
            again = f"python -m benchmarks.fuzz.run --suite {self.suite} --seed {seed} --only {case.number}"
            self.breaches.append(f"case {case.number} ({case.words}) {fault}. Again: {again}")

    def table(self) -> str:
        """Format the tallies as a Markdown table."""
        lines = [
            "| Kind | Format | Count | Refused | Read | Slowest, ms | Most memory, MB |",
            "|---|---|---:|---:|---:|---:|---:|",
        ]
        for (kind, form), tally in self.tallies.items():
            times = f"{tally.max_seconds * 1000:.0f} | {tally.max_mb:.1f}"
            lines.append(f"| {kind} | {form} | {tally.count} | {tally.refused} | {tally.read} | {times} |")
        return "\n".join(lines)


def fuzz(
    seed: int,
    numbers: Iterable[int],
    read: Reader | None = None,
    log: Log = lambda _text: None,
    save: Path | None = None,
    suite: str = "pictures",
) -> Report:
    """Try these cases. `read`: None for the suite's own reader; `save`: a folder for the files that fail."""
    report, record = Report(suite), SUITES[suite]
    for number in numbers:
        case = build_case(seed, number, record.plan)
        outcome, wrong = try_case(case, read or record.read, record.find_faults)
        report.add(seed, case, outcome, wrong)
        for line in report.breaches[len(report.breaches) - len(wrong) :]:
            log(f"BREACH: {line}")
        if wrong and save is not None:
            _save_file(save, seed, case)
    return report


def _save_file(folder: Path, seed: int, case: Case) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed{seed}-case{case.number}.{case.slot.format.lower()}").write_bytes(case.data)


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz.run", description=__doc__)
    parser.add_argument("--suite", choices=[*SUITES], help="one kind of file (default: all, one after the other)")
    parser.add_argument("--count", type=int, metavar="N", help="cases of each suite (default 1000, 600 and 400)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another seed makes other cases (default 0)")
    parser.add_argument("--only", type=int, metavar="N", help="this case alone, with what was said of it")
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help="write the files that fail there (with --only: that file)"
    )
    args = parser.parse_args(argv)
    if args.only is not None and args.suite is None:
        args.suite = "pictures"
    if (args.count is not None and args.count < 1) or args.seed < 0 or (args.only or 0) < 0:
        parser.error("--count is at least 1, --seed and --only at least 0")
    return args


def _run_case(suite: str, seed: int, number: int, read: Reader | None, save: Path | None) -> int:
    record = SUITES[suite]
    case = build_case(seed, number, record.plan)
    if save is not None:
        _save_file(save, seed, case)
    outcome, wrong = try_case(case, read or record.read, record.find_faults)
    print(f"Case {number} of seed {seed}: {case.words}; to be {case.expected}.")
    print(f"It was {outcome.ending} after {outcome.seconds * 1000:.0f} ms, {outcome.extra_mb:.1f} MB. {outcome.text}")
    print("\n".join(f"BREACH: {fault}" for fault in wrong) or "Nothing is wrong with that.")
    return 1 if wrong else 0


def _run_suite(suite: str, count: int, seed: int, read: Reader | None, save: Path | None) -> int:
    start = time.monotonic()
    report = fuzz(seed, range(count), read, lambda text: print(text, file=sys.stderr, flush=True), save, suite)
    print(report.table())
    took = f"{count} {suite} of seed {seed} in {time.monotonic() - start:.0f} s"
    print(f"\n{took}: {len(report.breaches)} breaches.", *report.breaches, sep="\n- " if report.breaches else "\n")
    return 1 if report.breaches else 0


def main(argv: Sequence[str] | None = None, read: Reader | None = None) -> int:
    """Try the cases, print a table for each suite and return 1 if there was a breach."""
    args = _parse_arguments(argv)
    if args.only is not None:
        return _run_case(args.suite, args.seed, args.only, read, args.save)
    suites = [args.suite] if args.suite else [*SUITES]
    return max([_run_suite(suite, args.count or SUITES[suite].count, args.seed, read, args.save) for suite in suites])


if __name__ == "__main__":
    sys.exit(main())
