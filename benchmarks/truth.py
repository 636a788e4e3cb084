"""`python -m benchmarks.truth`: methods, layers and settings ranked by the truth, as Markdown tables.

How much of a map lies on the caption, for a network that reads it and for an honest one. Then scenes of four objects,
drawn ones for two trained networks and pasted photographs for EfficientNet-Lite0: the truth is the log-odds that a
network loses when an object is removed; a map is scored by Spearman's rank correlation with it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.harness.contest import count_cores
from xai_core import METHODS, load_model
from xai_core.labs import describe_scores, judge_maps, list_judged_methods, train_cheaters
from xai_core.labs.objects.networks import train_scene_networks
from xai_core.labs.objects.ranking import Ranked, Setting, compare_ranks, rank_settings
from xai_core.labs.objects.scenes import Scene, compose_photographs
from xai_core.labs.objects.scores import collect_scores, write_scores
from xai_core.models import Classifier
from xai_core.params import Value

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
    "occlusion": ({"window": 16}, {"window": 64}, {"patch": "mean"}, {"patch": "blur"}),
    "integrated_gradients": ({"baseline": "black"}, {"baseline": "grey"}, {"baseline": "mean"}),
    "lime": ({"segments": 25}, {"segments": 100}, {"replace": "mean"}, {"replace": "blur"}),
}
"""Settings beside the defaults."""
# Forward passes of a method on photographs at most, but for the usual ones; drawn scenes allow more.
MAX_COST, MAX_DRAWN_COST = 200, 1500


def _describe(params: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items())


def list_variants(model: Classifier, methods: Sequence[str]) -> list[Setting]:
    """Return the layers and settings to try beside the defaults of these methods."""
    layers = {layer.name for layer in model.layers()}
    cams = [
        Setting(name, layer, words=layer) for name in CAMS if name in methods for layer in CAM_LAYERS if layer in layers
    ]
    return cams + [
        Setting(name, None, params, _describe(params))
        for name, entries in VARIANTS.items()
        if name in methods
        for params in entries
    ]


def format_table(title: str, rows: Sequence[Ranked]) -> str:
    """Return the ranking as a Markdown table; of a variant also the gain over the method's defaults."""
    defaults = {row.setting.method: row for row in rows if not row.setting.words}
    lines = [
        f"### {title}",
        "",
        "| method, setting | rank correlation (95 %) | first object right (95 %) | gain over the default (95 %) |",
        "|---|---:|---:|---:|",
    ]
    for row in rows:
        gain = "–"
        if row.setting.words and row.setting.method in defaults:
            mean, (low, high) = compare_ranks(row, defaults[row.setting.method])
            gain = f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"
        rank, hits = row.rank_interval, row.hits_interval
        lines.append(
            f"| {row.setting.title} | {row.rank:.2f} ({rank[0]:.2f} to {rank[1]:.2f}) "
            f"| {row.hits:.2f} ({hits[0]:.2f} to {hits[1]:.2f}) | {gain} |"
        )
    return "\n".join(lines)


def _rank(
    model: Classifier, scenes: Sequence[Scene], settings: Sequence[Setting], title: str
) -> tuple[str, tuple[Ranked, ...]]:
    began = time.monotonic()
    rows = rank_settings(model, scenes, settings)
    table = format_table(f"{title}: {len(scenes)} scenes, {len(settings)} settings", rows)
    text = f"{table}\n\n{time.monotonic() - began:.0f} s.\n"
    print(text, flush=True)
    return text, rows


def judge_cheaters(seed: int) -> str:
    """Return how much of each method's evidence lies on the caption, by network, as a Markdown table."""
    began = time.monotonic()
    lab = train_cheaters(seed)
    seconds = time.monotonic() - began
    scores = judge_maps(lab)
    accuracies = ", ".join(f"{network.kind} {network.accuracy:.1%}" for network in lab.networks)
    lines = [
        f"### Catch the cheater: {accuracies} right, trained in {seconds:.0f} s",
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
    text = "\n".join(lines)
    print(text, flush=True)
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the tables; with --out write them into a file too."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--drawn", type=int, default=24, metavar="N", help="drawn scenes a network (default 24)")
    parser.add_argument("--photographs", type=int, default=16, metavar="N", help="scenes of photographs (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="seed of networks and scenes (default 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the text here too")
    parser.add_argument("--cards", action="store_true", help="write the scores on the methods' cards too")
    args = parser.parse_args(argv)
    today = datetime.now(tz=timezone.utc).date().isoformat()
    texts = [f"{count_cores()} cores, {today}, `python -m benchmarks.truth --seed {args.seed}`.\n"]
    print(texts[0], flush=True)
    texts.append(judge_cheaters(args.seed))
    model = load_model(MODEL)
    methods = list_judged_methods(model, MAX_COST)
    settings = [*(Setting(name) for name in methods), *list_variants(model, methods)]
    scenes = compose_photographs(args.photographs, (args.seed,))
    text, rows = _rank(model, scenes, settings, f"Pasted photographs, {model.title}")
    texts.append(text)
    for network in train_scene_networks(args.seed):
        settings = [Setting(name) for name in list_judged_methods(network.model, MAX_DRAWN_COST)]
        title = f"Drawn scenes, “{network.model.title}”, {network.accuracy:.0%} right"
        texts.append(_rank(network.model, network.scenes[: args.drawn], settings, title)[0])
    if args.cards:
        write_scores(collect_scores(rows))
    if args.out is not None:
        args.out.write_text("\n".join(texts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
