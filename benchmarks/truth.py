"""`python -m benchmarks.truth`: methods, layers and settings ranked by the truth, as Markdown tables.

How much of a map lies on the caption, for a network that reads it and for an honest one. Then scenes of four objects,
drawn ones for two trained networks and pasted photographs for EfficientNet-Lite0: the truth is the log-odds that a
network loses when an object is removed; a map is scored by Spearman's rank correlation with it.

Finished scores are kept in a file until all are there, so that a run that ends early goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.harness.contest import count_cores
from xai_core import METHODS, load_model, settings
from xai_core.labs import describe_scores, judge_maps, list_judged_methods, train_cheaters
from xai_core.labs.objects.networks import train_scene_networks
from xai_core.labs.objects.ranking import (
    Importance,
    Ranked,
    Setting,
    compare_ranks,
    measure_importance,
    score_scene,
    summarize,
)
from xai_core.labs.objects.scenes import Scene, compose_photographs
from xai_core.labs.objects.scores import collect_scores, write_scores
from xai_core.models import Classifier
from xai_core.params import Value, resolve

MODEL = "efficientnet_lite0"
CAM_LAYERS = (
    "_bn1",
    "_blocks.15",
    "_blocks.15._bn1",
    "_blocks.15._project_conv",
    "_blocks.15._swish",
    "_blocks.15._depthwise_conv",
    "_blocks.10",
)
CAMS = ("grad_cam", "grad_cam_plus_plus", "xgrad_cam", "layer_cam")
VARIANTS: Mapping[str, tuple[Mapping[str, Value], ...]] = {
    "occlusion": ({"window": 16}, {"window": 64}, {"patch": "mean"}),
    "integrated_gradients": ({"baseline": "black"}, {"baseline": "grey"}),
    "lime": ({"segments": 25}, {"segments": 100}),
}
"""Settings beside the defaults."""
# Forward passes of a method on photographs at most, but for the usual ones; drawn scenes allow more.
MAX_COST, MAX_DRAWN_COST = 200, 1500
# Forward passes of a map from which on half of the scenes have to do.
DEAR = 60
RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- truth: written by make truth -->\n", "<!-- end of truth -->\n"


class OutOfTimeError(Exception):
    """The time that the run was given is over."""


class Scores:
    """Finished scores by table, setting and scene, kept in a JSON file; `seconds` end the run."""

    def __init__(self, file: Path, seconds: float) -> None:
        self.file, self.end = file, time.monotonic() + seconds
        self.tables: dict[str, dict[str, list[tuple[float, bool]]]] = {}
        self.texts: dict[str, str] = {}
        if file.is_file():
            content = json.loads(file.read_text(encoding="utf-8"))
            self.tables, self.texts = content["tables"], content["texts"]

    def save(self) -> None:
        """Write the scores; raise OutOfTimeError where the time is over."""
        self.file.write_text(json.dumps({"tables": self.tables, "texts": self.texts}), encoding="utf-8")
        if time.monotonic() > self.end:
            raise OutOfTimeError

    def rank(self, table: str, model: Classifier, scenes: Sequence[Scene], entries: Sequence[Setting]) -> list[Ranked]:
        """Return the ranking, best first, made of kept and of new scores. Raises OutOfTimeError."""
        known = self.tables.setdefault(table, {})
        truths: dict[int, Importance] = {}
        for setting in entries:
            rows = known.setdefault(setting.title, [])
            for place in range(len(rows), count_scenes(model, setting, len(scenes))):
                if place not in truths:
                    truths[place] = measure_importance(model, scenes[place])
                rows.append(score_scene(model, scenes[place], setting, truths[place]))
                self.save()
        return sorted((summarize(setting, known[setting.title]) for setting in entries), key=lambda row: -row.rank)


def count_scenes(model: Classifier, setting: Setting, scenes: int) -> int:
    """Return how many scenes a setting is scored on: half of them where a map is dear."""
    spec = METHODS.get(setting.method)
    weight = spec.weight(resolve(spec.params, dict(setting.params), model.side), model.side)
    return scenes if weight <= DEAR else (scenes + 1) // 2


def list_variants(model: Classifier, methods: Sequence[str]) -> list[Setting]:
    """Return the layers and settings to try beside the defaults of these methods."""
    layers = {layer.name for layer in model.layers()}
    cams = [
        Setting(name, layer, words=layer) for name in CAMS if name in methods for layer in CAM_LAYERS if layer in layers
    ]
    return cams + [
        Setting(name, None, params, ", ".join(f"{key} {value}" for key, value in params.items()))
        for name, entries in VARIANTS.items()
        if name in methods
        for params in entries
    ]


def format_interval(mean: float, ends: tuple[float, float], form: str = ".2f") -> str:
    """Return a mean with its interval: "0.50 (0.25 to 0.75)"."""
    return f"{mean:{form}} ({ends[0]:{form}} to {ends[1]:{form}})".replace("-", "−")


def format_table(title: str, rows: Sequence[Ranked]) -> str:
    """Return the ranking as a Markdown table; of a variant also the gain over the method's defaults."""
    defaults = {row.setting.method: row for row in rows if not row.setting.words}
    lines = [
        f"### {title}",
        "",
        "| method, setting | scenes | rank correlation (95 %) | first object right | gain over the default (95 %) |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        is_variant = row.setting.words and row.setting.method in defaults
        gain = format_interval(*compare_ranks(row, defaults[row.setting.method]), "+.2f") if is_variant else "–"
        lines.append(
            f"| {row.setting.title} | {len(row.ranks)} | {format_interval(row.rank, row.rank_interval)} "
            f"| {format_interval(row.hits, row.hits_interval)} | {gain} |"
        )
    return "\n".join(lines) + "\n"


def judge_cheaters(seed: int) -> str:
    """Return how much of each method's evidence lies on the caption, by network, as a Markdown table."""
    lab = train_cheaters(seed)
    scores = judge_maps(lab)
    accuracies = ", ".join(f"{network.kind} {network.accuracy:.1%}" for network in lab.networks)
    lines = [
        f"### Catch the cheater: {accuracies} right",
        "",
        "| method | reads the caption | honest | reads the faint pattern |",
        "|---|---:|---:|---:|",
        *(
            f"| {METHODS.get(score.method).technical} | {score.caption:.1f} | {score.honest:.2f} | {score.faint:.2f} |"
            for score in scores
        ),
        "",
        f"{describe_scores(scores)}",
        "",
    ]
    return "\n".join(lines)


def measure(scores: Scores, seed: int, photographs: int, drawn: int) -> list[Ranked]:
    """Measure what is missing; return the ranking on photographs. Raises OutOfTimeError."""
    model = load_model(MODEL)
    methods = list_judged_methods(model, MAX_COST)
    entries = [*(Setting(name) for name in methods), *list_variants(model, methods)]
    # Dear ones last.
    entries.sort(key=lambda setting: count_scenes(model, setting, 2) < 2)
    ranking = scores.rank("photographs", model, compose_photographs(photographs, (seed,)), entries)
    scores.texts["photographs"] = format_table(f"Pasted photographs, {model.title}", ranking)
    if "drawn" not in scores.texts:
        texts = []
        for network in train_scene_networks(seed):
            entries = [Setting(name) for name in list_judged_methods(network.model, MAX_DRAWN_COST)]
            rows = scores.rank(network.name, network.model, network.scenes[:drawn], entries)
            texts.append(format_table(f"Drawn scenes, “{network.model.title}”, {network.accuracy:.0%} right", rows))
        scores.texts["drawn"] = "\n".join(texts)
        scores.save()
    if "cheater" not in scores.texts:
        scores.texts["cheater"] = judge_cheaters(seed)
        scores.save()
    return ranking


def write_results(text: str, file: Path = RESULTS) -> None:
    """Put a text between the two marks in the file of results."""
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    file.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the tables; with --results write them into RESULTS.md and the scores on the methods' cards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--drawn", type=int, default=12, metavar="N", help="drawn scenes a network (default 12)")
    parser.add_argument("--photographs", type=int, default=16, metavar="N", help="scenes of photographs (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="seed of networks and scenes (default 0)")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="N", help="stop after this time, to go on later")
    parser.add_argument("--keep", type=Path, help="file of finished scores (default: in the data folder)")
    parser.add_argument("--results", action="store_true", help="write RESULTS.md and the methods' cards")
    args = parser.parse_args(argv)
    keep = args.keep or settings.data_dir("truth") / f"scores-{args.seed}-{args.photographs}-{args.drawn}.json"
    keep.parent.mkdir(parents=True, exist_ok=True)
    scores = Scores(keep, args.seconds)
    try:
        ranking = measure(scores, args.seed, args.photographs, args.drawn)
    except OutOfTimeError:
        print("The time is over. The same command goes on.")
        return 1
    today = datetime.now(tz=timezone.utc).date().isoformat()
    head = f"{count_cores()} cores, {today}, `python -m benchmarks.truth --seed {args.seed}`."
    text = "\n".join([head, "", scores.texts["cheater"], scores.texts["photographs"], scores.texts["drawn"]])
    print(text)
    if args.results:
        write_results(text)
        write_scores(collect_scores(ranking))
    # The next run measures anew.
    keep.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
