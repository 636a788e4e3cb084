"""Command line with the names of the library: `python -m xai_core explain photo.jpg --method occlusion --out out/`.

A wrong request is one sentence on stderr and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

import xai_core
from xai_core.errors import InvalidParam, UnknownName, XaiError
from xai_core.formatting import percent
from xai_core.params import Choice, Number, Param
from xai_core.render import SavedMap, saved_picture_png, text_alternative
from xai_core.report import npz_bytes
from xai_core.results import Attribution, Target
from xai_core.trust import MapVerdict

DEFAULT_MODEL = "efficientnet_lite0"
DEFAULT_METHOD = "grad_cam"
REDRAW_S = 0.1


class _StatusLine:
    """A line on stderr that is overwritten as the work goes on; nothing if stderr is not a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._drawn_at = 0.0

    def show(self, text: str) -> None:
        if self.live and time.monotonic() - self._drawn_at > REDRAW_S:
            self._drawn_at = time.monotonic()
            print(f"\r\x1b[K{text[:78]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.live and self._drawn_at:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _StatusJob(xai_core.Job[Any]):
    """A job that shows its progress on a status line."""

    def __init__(self, name: str, line: _StatusLine) -> None:
        super().__init__(name)
        self.line = line

    def tick(self, evaluations: int = 0) -> None:
        super().tick(evaluations)
        seconds_left = self.seconds_left
        tail = "" if seconds_left is None else f", about {seconds_left:.0f} s left"
        self.line.show(f"{self.key}: {percent(self.fraction)}, {self.done:,} of {self.total:,} evaluations{tail}")


def _load_model(args: argparse.Namespace) -> xai_core.Classifier:
    line = _StatusLine()

    def show_progress(done: int, total: int) -> None:
        line.show(f"Fetching {args.model}: {done / 2**20:.0f} of {total / 2**20:.0f} MB")

    try:
        model = xai_core.load_model(args.model, progress=show_progress)
    finally:
        line.clear()
    notes = filter(None, (model.note, xai_core.engine_note(model) if "picture" in args else ""))
    for note in notes:
        print(f"Note: {note}", file=sys.stderr)
    return model


def _read_picture(args: argparse.Namespace) -> tuple[str, Image.Image]:
    """Return a name for files, and the picture."""
    if args.sample is not None:
        return args.sample, xai_core.SAMPLES.get(args.sample).load()
    picture = xai_core.read_image_file(args.picture)
    for note in picture.notes:
        print(f"Note: {note}", file=sys.stderr)
    return Path(args.picture).stem, picture.image


def _parse_target(model: xai_core.Classifier, text: str | None) -> Target | None:
    """Parse a label or an index, or two of them as "A,B"; a label that has a comma itself comes first."""
    if text is None:
        return None
    try:
        return model.class_index(text)
    except UnknownName:
        if text.count(",") != 1:
            raise
    first, second = text.split(",")
    return model.class_index(first), model.class_index(second)


def _parse_params(pairs: Sequence[tuple[str, str]], methods: Sequence[str]) -> dict[str, dict[str, object]]:
    """Group parameters by method: "name" if one method runs, "method.name" if several do.

    Raises InvalidParam or UnknownName.
    """
    params: dict[str, dict[str, object]] = {method: {} for method in methods}
    for key, value in pairs:
        method, dot, name = key.rpartition(".")
        if not dot and len(methods) > 1:
            raise InvalidParam(
                f"Several methods run, so say whose parameter it is: {methods[0]}.{key}={value}. Got {key}={value}."
            )
        if dot and method not in params:
            raise UnknownName.of("method in this run", method, params)
        params[method or methods[0]][name] = value
    return params


def _make_maps(args: argparse.Namespace, methods: Sequence[str]) -> tuple[str, Image.Image, list[Attribution]]:
    """Return the picture's name, the model's input as a picture, and a map by each method.

    All requests are checked before the first one runs.
    """
    for method in methods:
        xai_core.METHODS.get(method)
    params = _parse_params(args.param, methods)
    name, image = _read_picture(args)
    model = _load_model(args)
    target = _parse_target(model, args.target)
    requests: list[Mapping[str, Any]] = []
    for method in methods:
        takes_layer = len(methods) == 1 or xai_core.METHODS.get(method).uses_layer
        request: dict[str, Any] = {
            "method": method,
            "target": target,
            "layer": args.layer if takes_layer else None,
            "params": params[method],
        }
        try:
            xai_core.plan(model, image, **request, seed=args.seed)
        except xai_core.NotApplicable as reason:
            if len(methods) == 1:
                raise
            print(f"Left out {method}: {reason}", file=sys.stderr)
        else:
            requests.append(request)
    maps = [_run(model, image, request, args.seed) for request in requests]
    return name, model.preprocessing.model_input(image), maps


def _run(model: xai_core.Classifier, image: Image.Image, request: Mapping[str, Any], seed: int) -> Attribution:
    line = _StatusLine()
    job = _StatusJob(request["method"], line)
    try:
        job.run(lambda running: xai_core.explain(model, image, **request, seed=seed, job=running))
    finally:
        line.clear()
    attribution: Attribution = job.wait()
    return attribution


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _save(folder: Path, stem: str, png: bytes, maps: Sequence[Attribution]) -> None:
    data = npz_bytes(maps)
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in ((folder / f"{stem}.png", png), (folder / f"{stem}.npz", data)):
        _write(path, content)
    print(f"  saved {folder / stem}.png and .npz")


# Guesses that tell whether the model may not know the thing.
GUESSES = 5


def _print_map(attribution: Attribution, verdict: MapVerdict) -> None:
    cost = f"{attribution.evaluations:,} evaluations, {attribution.seconds:.1f} s"
    layer = f", layer {attribution.layer}" if attribution.layer else ""
    print(f"{attribution.method}, why {attribution.label}? {text_alternative(attribution.heatmap)} ({cost}{layer})")
    print(f"  {verdict.title}. {verdict.summary}")
    for finding in verdict.findings:
        print(f"  {finding.level}: {finding.sentence}")
    for sentence in verdict.untested:
        print(f"  not tested: {sentence}")


def _draw(model_input: Image.Image, maps: Sequence[tuple[Attribution, MapVerdict]]) -> bytes:
    """Return a PNG of maps with their words."""
    entries = []
    for attribution, verdict in maps:
        spec = xai_core.METHODS.get(attribution.method)
        model = xai_core.MODELS.get(attribution.model).title
        entries.append(SavedMap(model_input, attribution, spec.full_title, model, verdict.title))
    return saved_picture_png(entries, dt.date.today())


def _run_explain(args: argparse.Namespace) -> None:
    methods = list(xai_core.METHODS) if args.all else list(dict.fromkeys(args.method or [DEFAULT_METHOD]))
    name, model_input, maps = _make_maps(args, methods)
    for attribution, verdict in zip(maps, xai_core.judge(maps), strict=True):
        _print_map(attribution, verdict)
        _save(args.out, f"{name}-{attribution.method}", _draw(model_input, [(attribution, verdict)]), [attribution])


def _run_compare(args: argparse.Namespace) -> None:
    name, model_input, maps = _make_maps(args, list(dict.fromkeys(args.method or xai_core.METHODS)))
    judged = list(zip(maps, xai_core.judge(maps), strict=True))
    for attribution, verdict in judged:
        _print_map(attribution, verdict)
    _save(args.out, f"{name}-compare", _draw(model_input, judged), maps)


def _run_predict(args: argparse.Namespace) -> None:
    _, image = _read_picture(args)
    model = _load_model(args)
    for index, label, probability in xai_core.predict(model, image, args.top).classes:
        print(f"{percent(probability):>9}  {label} ({index})")
    if sentence := xai_core.doubt(xai_core.guess(model, image, min(GUESSES, len(model.labels)))):
        print(sentence)


def _describe_range(param: Param, side: int) -> str:
    if isinstance(param, Number):
        low, high = param.bounds(side)
        return f"{low:g} to {high:g}{f' {param.unit}' if param.unit else ''}"
    return ", ".join(param.options) if isinstance(param, Choice) else "true, false"


def _list_methods(args: argparse.Namespace) -> None:
    side = xai_core.MODELS.get(args.model).input_side
    for spec in xai_core.METHODS.specs():
        print(f"{spec.name}: {spec.question} [{spec.full_title}; {spec.paper}]")
        for param in spec.params:
            print(f"  --param {param.name}={param.default_for(side)}  ({_describe_range(param, side)}) {param.help}")


def _list_models(_args: argparse.Namespace) -> None:
    for spec in xai_core.MODELS.specs():
        where = "comes with Whybox" if spec.bundled else f"fetched on first use, {spec.size_mb:.0f} MB"
        print(f"{spec.name}: {spec.title}, {spec.input_side} px, {where}")


def _list_layers(args: argparse.Namespace) -> None:
    for layer in _load_model(args).layers():
        mark = "  <- recommended" if layer.recommended else f"  (same as {layer.alias_of})" if layer.alias_of else ""
        print(f"{layer.depth:4}  {layer.name}  {layer.kind}  {' x '.join(map(str, layer.shape))}{mark}")


def _parse_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"a parameter is given as name=value, for example window=16; got {text!r}")
    return name.strip(), value.strip()


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m xai_core", description="Why did the model say that?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add_command(name: str, words: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=words, description=words)
        subparser.set_defaults(run=run)
        if name != "models":
            subparser.add_argument("--model", default=DEFAULT_MODEL, help=f"see `models`; default {DEFAULT_MODEL}")
        if name in ("explain", "compare", "predict"):
            picture = subparser.add_mutually_exclusive_group(required=True)
            picture.add_argument("picture", nargs="?", help="a JPEG, PNG, HEIC, AVIF, WebP, BMP, GIF or TIFF file")
            picture.add_argument("--sample", metavar="NAME", help=f"one of {', '.join(xai_core.SAMPLES)}")
        return subparser

    explain = add_command("explain", "a map of evidence for one picture, as PNG and NPZ", _run_explain)
    compare = add_command("compare", "several maps side by side in one PNG and one NPZ", _run_compare)
    add_command("predict", "the likeliest classes of a picture", _run_predict).add_argument(
        "--top", type=int, default=5, metavar="N"
    )
    add_command("methods", "the methods with their parameters", _list_methods)
    add_command("models", "the models", _list_models)
    add_command("layers", "the layers of a model that can be explained", _list_layers)
    for subparser in (explain, compare):
        default = DEFAULT_METHOD if subparser is explain else "all"
        subparser.add_argument(
            "--method", action="append", metavar="NAME", help=f"see `methods`; may be repeated; default {default}"
        )
        subparser.add_argument(
            "--target", metavar="CLASS", help='label, index, or "A,B" for why A and not B; default the likeliest class'
        )
        subparser.add_argument("--layer", metavar="NAME", help="see `layers`; default the recommended one")
        subparser.add_argument(
            "--param", action="append", default=[], type=_parse_pair, metavar="NAME=VALUE", help="may be repeated"
        )
        subparser.add_argument("--seed", type=int, default=0, metavar="N")
        subparser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: this folder")
    explain.add_argument("--all", action="store_true", help="every method, each to its own files")
    return parser


def _replace_unprintable() -> None:
    """Let a question mark stand in for characters that a stream cannot hold (an old code page)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for a wrong or impossible request, 130 for Ctrl-C."""
    _replace_unprintable()
    args = _make_parser().parse_args(argv)
    try:
        args.run(args)
    except XaiError as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as problem:
        print(
            f"The result could not be written: {problem.strerror or problem}. Choose another folder with --out.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
