"""The command line: `python -m xai_core explain photo.jpg --method occlusion --out out/`. The same names and numbers as everywhere.

What a visitor can do something about is one sentence on stderr and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import argparse
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
from xai_core.params import Choice, Number, Param
from xai_core.render import comparison_png, panel_png, text_alternative
from xai_core.report import npz_bytes
from xai_core.results import Attribution, Target

DEFAULT_MODEL = "efficientnet_lite0"
DEFAULT_METHOD = "grad_cam"
_REDRAW_S = 0.1


class _Line:
    """One line on stderr that is written over as the work goes on; nothing where stderr is not a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._drawn = 0.0

    def show(self, text: str) -> None:
        if self.live and time.monotonic() - self._drawn > _REDRAW_S:
            self._drawn = time.monotonic()
            print(f"\r\x1b[K{text[:78]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.live and self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _ShownJob(xai_core.Job[Any]):
    """A job that tells its progress from the thread that does the work."""

    def __init__(self, name: str, line: _Line) -> None:
        super().__init__(name)
        self.line = line

    def tick(self, evaluations: int = 0) -> None:
        super().tick(evaluations)
        left = self.seconds_left
        tail = "" if left is None else f", about {left:.0f} s left"
        self.line.show(f"{self.key}: {self.fraction:.0%}, {self.done:,} of {self.total:,} evaluations{tail}")


def _model(args: argparse.Namespace) -> xai_core.Classifier:
    line = _Line()

    def report(done: int, total: int) -> None:
        line.show(f"Fetching {args.model}: {done / 2**20:.0f} of {total / 2**20:.0f} MB")

    try:
        model = xai_core.load_model(args.model, progress=report)
    finally:
        line.clear()
    notes = filter(None, (model.note, xai_core.engine_note(model) if "picture" in args else ""))
    for note in notes:
        print(f"Note: {note}", file=sys.stderr)
    return model


def _picture(args: argparse.Namespace) -> tuple[str, Image.Image]:
    """A name for files, and the picture."""
    if args.sample is not None:
        return args.sample, xai_core.SAMPLES.get(args.sample).load()
    return Path(args.picture).stem, xai_core.read_image(args.picture)


def _target(model: xai_core.Classifier, text: str | None) -> Target | None:
    """A label or an index, or two of them as "A,B"; a label that has a comma itself is found first."""
    if text is None:
        return None
    try:
        return model.class_index(text)
    except UnknownName:
        if text.count(",") != 1:
            raise
    first, second = text.split(",")
    return model.class_index(first), model.class_index(second)


def _params(pairs: Sequence[tuple[str, str]], methods: Sequence[str]) -> dict[str, dict[str, object]]:
    """Parameters by method: "name" where one method runs, "method.name" where several do. Raises InvalidParam or UnknownName."""
    given: dict[str, dict[str, object]] = {name: {} for name in methods}
    for name, value in pairs:
        method, dot, own = name.rpartition(".")
        if not dot and len(methods) > 1:
            raise InvalidParam(
                f"Several methods run, so say whose parameter it is: {methods[0]}.{name}={value}. Got {name}={value}."
            )
        if dot and method not in given:
            raise UnknownName.of("method in this run", method, given)
        given[method or methods[0]][own] = value
    return given


def _maps(args: argparse.Namespace, methods: Sequence[str]) -> tuple[str, Image.Image, list[Attribution]]:
    """The picture's name, the picture as the model saw it, and a map of each method. Everything is checked before anything runs."""
    for method in methods:
        xai_core.METHODS.get(method)
    params = _params(args.param, methods)
    name, image = _picture(args)
    model = _model(args)
    target = _target(model, args.target)
    asked: list[Mapping[str, Any]] = []
    for method in methods:
        takes_layer = len(methods) == 1 or xai_core.METHODS.get(method).uses_layer
        wish: dict[str, Any] = {
            "method": method,
            "target": target,
            "layer": args.layer if takes_layer else None,
            "params": params[method],
        }
        try:
            xai_core.plan(model, image, **wish, seed=args.seed)
        except xai_core.NotApplicable as reason:
            if len(methods) == 1:
                raise
            print(f"Left out {method}: {reason}", file=sys.stderr)
        else:
            asked.append(wish)
    return name, model.preprocessing.model_input(image), [_run(model, image, each, args.seed) for each in asked]


def _run(model: xai_core.Classifier, image: Image.Image, asked: Mapping[str, Any], seed: int) -> Attribution:
    line = _Line()
    job = _ShownJob(asked["method"], line)
    try:
        job.run(lambda own: xai_core.explain(model, image, **asked, seed=seed, job=own))
    finally:
        line.clear()
    found: Attribution = job.wait()
    return found


def _write(path: Path, data: bytes) -> None:
    """All of the file or none of it."""
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


def _tell(found: Attribution) -> None:
    cost = f"{found.evaluations:,} evaluations, {found.seconds:.1f} s"
    layer = f", layer {found.layer}" if found.layer else ""
    print(f"{found.method}, why {found.label}? {text_alternative(found.heatmap)} ({cost}{layer})")
    for check in found.checks:
        print(f"  {check.level}: {check.sentence}")
    if not found.checks:
        print("  green: no check found anything wrong.")


def _explain(args: argparse.Namespace) -> None:
    methods = list(xai_core.METHODS) if args.all else list(dict.fromkeys(args.method or [DEFAULT_METHOD]))
    name, seen, maps = _maps(args, methods)
    for found in maps:
        _tell(found)
        _save(
            args.out,
            f"{name}-{found.method}",
            panel_png(seen, found, xai_core.METHODS.get(found.method).title),
            [found],
        )


def _compare(args: argparse.Namespace) -> None:
    name, seen, maps = _maps(args, list(dict.fromkeys(args.method or xai_core.METHODS)))
    for found in maps:
        _tell(found)
    titles = [xai_core.METHODS.get(found.method).title for found in maps]
    _save(args.out, f"{name}-compare", comparison_png(seen, maps, titles), maps)


def _predict(args: argparse.Namespace) -> None:
    _, image = _picture(args)
    for index, label, probability in xai_core.predict(_model(args), image, args.top).classes:
        print(f"{probability:7.2%}  {label} ({index})")


def _allowed(param: Param, side: int) -> str:
    if isinstance(param, Number):
        low, high = param.bounds(side)
        return f"{low:g} to {high:g}{f' {param.unit}' if param.unit else ''}"
    return ", ".join(param.options) if isinstance(param, Choice) else "true, false"


def _methods(args: argparse.Namespace) -> None:
    side = xai_core.MODELS.get(args.model).input_side
    for spec in xai_core.METHODS.specs():
        print(f"{spec.name}: {spec.question} [{spec.title}; {spec.paper}]")
        for param in spec.params:
            print(f"  --param {param.name}={param.default_for(side)}  ({_allowed(param, side)}) {param.help}")


def _models(_args: argparse.Namespace) -> None:
    for spec in xai_core.MODELS.specs():
        where = "comes with Whybox" if spec.bundled else f"fetched on first use, {spec.size_mb:.0f} MB"
        print(f"{spec.name}: {spec.title}, {spec.input_side} px, {where}")


def _layers(args: argparse.Namespace) -> None:
    for layer in _model(args).layers():
        mark = "  <- recommended" if layer.recommended else f"  (same as {layer.alias_of})" if layer.alias_of else ""
        print(f"{layer.depth:4}  {layer.name}  {layer.kind}  {' x '.join(map(str, layer.shape))}{mark}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"a parameter is given as name=value, for example window=16; got {text!r}")
    return name.strip(), value.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m xai_core", description="Why did the model say that?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, words: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(run=run)
        if name != "models":
            made.add_argument("--model", default=DEFAULT_MODEL, help=f"see `models`; default {DEFAULT_MODEL}")
        if name in ("explain", "compare", "predict"):
            picture = made.add_mutually_exclusive_group(required=True)
            picture.add_argument("picture", nargs="?", help="a JPEG, PNG, WebP, BMP, GIF or TIFF file")
            picture.add_argument("--sample", metavar="NAME", help=f"one of {', '.join(xai_core.SAMPLES)}")
        return made

    explain = command("explain", "a map of evidence for one picture, as PNG and NPZ", _explain)
    compare = command("compare", "several maps side by side in one PNG and one NPZ", _compare)
    command("predict", "the likeliest classes of a picture", _predict).add_argument(
        "--top", type=int, default=5, metavar="N"
    )
    command("methods", "the methods with their parameters", _methods)
    command("models", "the models", _models)
    command("layers", "the layers of a model that can be explained", _layers)
    for made in (explain, compare):
        default = DEFAULT_METHOD if made is explain else "all"
        made.add_argument(
            "--method", action="append", metavar="NAME", help=f"see `methods`; may be repeated; default {default}"
        )
        made.add_argument(
            "--target", metavar="CLASS", help='label, index, or "A,B" for why A and not B; default the likeliest class'
        )
        made.add_argument("--layer", metavar="NAME", help="see `layers`; default the recommended one")
        made.add_argument(
            "--param", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="may be repeated"
        )
        made.add_argument("--seed", type=int, default=0, metavar="N")
        made.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: this folder")
    explain.add_argument("--all", action="store_true", help="every method, each to its own files")
    return parser


def _never_fail_to_print() -> None:
    """Where a stream cannot hold a character (an old code page), a question mark stands in for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for what was asked wrongly or cannot be had, 130 for Ctrl-C."""
    _never_fail_to_print()
    args = _parser().parse_args(argv)
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
