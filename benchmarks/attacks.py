"""`python -m benchmarks.attacks [NAMES]`: what each attack takes, and how many sample photographs it flips.

Medians of five runs a picture, on six photographs, after one that is not counted. Processor seconds stand beside: on a
busy machine they are what can be compared. NAMES are attacks, such as `pgd patch`; all without.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import xai_core
from xai_core import ATTACKS, Attacked

MODEL = "efficientnet_lite0"
PHOTOS = ("coffee", "chelsea", "rocket", "camera", "flower", "china")
REPEATS = 5
# Attack, and what it is asked for besides.
CASES: Mapping[str, Mapping[str, Any]] = {
    "fgsm": {"epsilon": 4},
    "pgd": {"epsilon": 2},
    "deep_fool": {},
    "box_lbfgs": {},
    "one_pixel": {"params": {"generations": 5}},
}
# Class far from all six photographs, and the strength at which it is aimed at.
WISH, WISH_LEVELS = "goldfish", 8


def measure(model: xai_core.Classifier, sample: str, attack: str, **more: Any) -> tuple[float, float, Attacked]:
    """Return the median seconds and processor seconds of an attack on a sample, and its result."""
    image, seconds, used = xai_core.SAMPLES.get(sample).load(), [], []
    repeats = 1 if ATTACKS.get(attack).cost(model_params(model, attack, more), model.side) > 100 else REPEATS
    for _ in range(repeats):
        began, used_before = time.perf_counter(), time.process_time()
        result = xai_core.attack(model, image, attack, **more)
        seconds.append(time.perf_counter() - began)
        used.append(time.process_time() - used_before)
    return median(seconds), median(used), result


def model_params(model: xai_core.Classifier, attack: str, more: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a case with the defaults of the others."""
    given = more.get("params", {})
    return {param.name: given.get(param.name, param.default_for(model.side)) for param in ATTACKS.get(attack).params}


def main() -> None:
    """Print one row an attack, then what is measured in another way: the sticker, and all single pixels of digits."""
    names = sys.argv[1:] or [*CASES, "patch"]
    model = xai_core.load_model(MODEL)
    xai_core.attack(model, xai_core.SAMPLES.get("coins").load(), "fgsm")
    print("| attack | asked for | s (median of photographs) | CPU s | flips | largest change | RMS | queries |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    cases = [*CASES.items(), ("pgd", {"epsilon": WISH_LEVELS, "target": WISH})]
    for name, more in (case for case in cases if case[0] in names):
        runs = [measure(model, sample, name, **more) for sample in PHOTOS]
        results = [result for _, _, result in runs]
        print(
            f"| {ATTACKS.get(name).technical} | {', '.join(f'{key} {value}' for key, value in more.items()) or '–'} "
            f"| {median(run[0] for run in runs):.2f} | {median(run[1] for run in runs):.2f} "
            f"| {sum(r.success for r in results)} of {len(results)} "
            f"| {median(r.linf for r in results):.0f} | {median(r.l2 for r in results):.2f} "
            f"| {median(r.queries for r in results):.0f} |",
            flush=True,
        )
    if "patch" in names:
        print_patch(model)
    if "one_pixel" in names:
        print_pixels()


def print_patch(model: xai_core.Classifier) -> None:
    """Print what a sticker takes, and the mean probability of its class on photographs that it was not made with."""
    seconds, used, result = measure(model, "coffee", "patch", target=WISH)
    before, sticker, scrambled = (result.details[f"unseen_{name}"] for name in ("before", "patch", "scrambled"))
    print(
        f"\nSticker for {WISH}: {seconds:.1f} s, {used:.1f} CPU s. {result.details['unseen']:.0f} unseen photographs: "
        f"{before:.2%} before, {sticker:.1%} with it, {scrambled:.2%} with its pixels in random order."
    )


def print_pixels() -> None:
    """Print what all single pixels of three digits take, and how many flip them."""
    small = xai_core.load_model("small_cnn")
    xai_core.predict(small, xai_core.SAMPLES.get("digit_3").load())
    for digit in ("digit_3", "digit_5", "digit_8"):
        seconds, used, result = measure(small, digit, "one_pixel")
        flips, tried = (result.details[name] for name in ("flips", "tried"))
        print(
            f"\nOne pixel on {digit}, all {tried:.0f} changes: {seconds:.2f} s, {used:.2f} CPU s, {flips:.0f} flip it."
        )


if __name__ == "__main__":
    main()
