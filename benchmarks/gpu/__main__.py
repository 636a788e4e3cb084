"""`python -m benchmarks.gpu`: tables of the path through a graphics card, and the same as JSON.

Without a CUDA device it says so and ends with exit code 0. Exit code 1 where a map, a session or a goal fails. It ends
within eight minutes: what does not fit is named as left out.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

import xai_core
from benchmarks.gpu import agreement, precision, sessions, speed
from benchmarks.gpu.networks import load_pairs
from xai_core.models.cache import choose_device

LIMIT_S = 8 * 60
# Seconds kept for what follows the comparison of maps.
REST_S = 150
SESSIONS = 30
PICTURES = ("coffee", "chelsea", "rocket")
NO_CARD = "There is no CUDA device on this machine, so nothing was measured. Run it on one, or with --device cpu."
Tables = dict[str, list[dict[str, Any]]]


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as a Markdown table with the columns of all."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_format_cell(row.get(name)) for name in columns) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def measure(device: torch.device, quick: bool, limit_s: float = LIMIT_S) -> tuple[Tables, list[str]]:
    """Return all tables by title, and what was left out for lack of time."""
    end, left_out = time.monotonic() + limit_s, list[str]()
    images = [xai_core.SAMPLES.get(name).load() for name in PICTURES]
    tables: Tables = {"Maps against the CPU's": [], "Ways to run a network": []}
    first = None
    for pair in load_pairs(device, quick):
        first = first or pair
        is_late = end - time.monotonic() < REST_S and not quick
        if is_late:
            left_out.append(f"maps of {pair.name}")
            continue
        tables["Ways to run a network"] += precision.measure_options(pair, 2 if quick else precision.BATCH)
        rows = agreement.compare_methods(pair, images[0], lambda: not quick and end - time.monotonic() < REST_S)
        tables["Maps against the CPU's"] += rows
    if first is not None:
        tables["Four methods side by side"] = [speed.measure_four(first.device, images[0], quick)]
        tables["Against Captum on the same device"] = list(speed.compare_with_captum(first.device, images[0], quick))
        tables["Sessions at once"] = [sessions.run_sessions(first.device, images, 4 if quick else SESSIONS)]
    return tables, left_out


def list_failures(tables: Tables) -> list[str]:
    """Return a line for each row that did not pass; a way to run a network that is not used is no failure."""
    return [
        f"{title}: {', '.join(str(value) for value in list(row.values())[:2])}"
        for title, rows in tables.items()
        if title != "Ways to run a network"
        for row in rows
        if row.get("passed") is False
    ]


def describe_device(device: torch.device) -> str:
    """Describe the device, the versions and the date in one line."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or device.type
    today = datetime.now(tz=timezone.utc).date().isoformat()
    return f"{name}, torch {torch.__version__}, Python {platform.python_version()}; {today}"


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda (default), or cpu to try the program itself")
    parser.add_argument("--quick", action="store_true", help="the smallest network and few evaluations")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), metavar="FILE", help="JSON (default gpu.json)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON, and return 1 if something did not pass."""
    args, began = _parse_arguments(argv), time.monotonic()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        print(NO_CARD)
        return 0
    device = choose_device(args.device)
    tables, left_out = measure(device, args.quick)
    failures = list_failures(tables)
    for title, rows in tables.items():
        print(f"\n{title}\n\n{format_table(rows)}")
    seconds = round(time.monotonic() - began, 1)
    notes = [f"Device: {describe_device(device)}.", f"{seconds} s in all."]
    notes += [f"Left out for lack of time: {name}." for name in left_out]
    notes += [f"FAILED: {line}." for line in failures]
    print("\n" + "\n".join(f"- {note}" for note in notes))
    about = {"device": describe_device(device), "seconds": seconds, "left out": left_out, "failures": failures}
    args.out.write_text(json.dumps({"about": about, "tables": tables}, indent=1), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
