"""Loaded models, shared by everybody in the process: built once, at most a few kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, wait
from weakref import WeakValueDictionary

import torch
from torch import nn

from xai_core import settings
from xai_core.errors import Cancelled, InvalidParam
from xai_core.models.classifier import Classifier
from xai_core.models.spec import ModelSpec
from xai_core.models.weights import Progress, state_sha256

Key = tuple[str, str]
DEFAULT_MAX_MODELS = 3
_POLL_S = 0.2


def max_models() -> int:
    """Return the number of models to keep: WHYBOX_MAX_MODELS, at least 1."""
    setting = settings.max_models()
    return DEFAULT_MAX_MODELS if setting is None else max(1, setting)


def choose_device(device: torch.device | str | None) -> torch.device:
    """Return the requested device, or the best there is: CUDA, else MPS, else CPU.

    Raises InvalidParam if this machine has none such.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    try:
        best = next(kind for kind, present in available.items() if present)
        chosen = torch.device(device if device is not None else best)
    except (RuntimeError, TypeError):
        chosen = None
    if chosen is not None and chosen.type == "cuda" and available["cuda"]:
        chosen = torch.device("cuda", torch.cuda.current_device() if chosen.index is None else chosen.index)
        if (chosen.index or 0) >= torch.cuda.device_count():
            chosen = None
    if chosen is None or not available.get(chosen.type, False):
        allowed = ", ".join(kind for kind, present in available.items() if present)
        raise InvalidParam(f"The device must be one this machine has: {allowed}. Got {str(device)[:60]!r}.")
    return chosen


class _Build(Future[Classifier]):
    """A model being built, with the bytes fetched so far for those who wait beside the builder."""

    seen: tuple[int, int] | None = None


class ModelCache:
    """One Classifier for each model and device.

    Thirty callers at once cause one build; builds of different models run side by side.

    A failed build is not remembered; those who waited for it get its error. If it was only cancelled, one of them
    starts it again. A model that was dropped while somebody still uses it is handed out again instead of being built
    twice.
    """

    def __init__(self, limit: Callable[[], int] = max_models) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._models: OrderedDict[Key, Classifier] = OrderedDict()
        self._alive: WeakValueDictionary[Key, Classifier] = WeakValueDictionary()
        self._builds: dict[Key, _Build] = {}

    def get(self, spec: ModelSpec, device: torch.device, progress: Progress | None = None) -> Classifier:
        """Return the model, built first if need be. Raises ModelUnavailable."""
        key = (spec.name, str(device))
        while True:
            with self._lock:
                model = self._alive.get(key)
                if model is not None:
                    self._store(key, model)
                    return model
                build = self._builds.get(key)
                mine = build is None
                if build is None:
                    build = self._builds[key] = _Build()
            if mine:
                return self._build(key, build, spec, device, progress)
            error = self._wait(build, progress)
            if error is None:
                return build.result()
            if isinstance(error, Exception) and not isinstance(error, Cancelled):
                raise error

    def find(self, name: str, device: torch.device) -> Classifier | None:
        """Return the model if it is in memory; then it counts as used."""
        with self._lock:
            model = self._alive.get((name, str(device)))
            if model is not None:
                self._store((name, str(device)), model)
            return model

    def list_keys(self) -> tuple[Key, ...]:
        """Return (name, device) of the models kept, least recently used first."""
        with self._lock:
            return tuple(self._models)

    def clear(self) -> None:
        """Forget every model; those in use live on with their users."""
        with self._lock:
            self._models.clear()
            self._alive.clear()

    def _store(self, key: Key, model: Classifier) -> None:
        self._models[key] = self._alive[key] = model
        self._models.move_to_end(key)
        while len(self._models) > self._limit():
            self._models.popitem(last=False)

    def _wait(self, build: _Build, progress: Progress | None) -> BaseException | None:
        """Wait for another thread's build, reporting its progress from this thread: a cancel raised there stops only
        this caller.
        """
        reported = None
        while not wait([build], timeout=_POLL_S if progress else None).done:
            if progress and build.seen != reported and (reported := build.seen):
                progress(*reported)
        return build.exception()

    def _build(
        self, key: Key, build: _Build, spec: ModelSpec, device: torch.device, progress: Progress | None
    ) -> Classifier:
        def report(done: int, total: int) -> None:
            build.seen = (done, total)
            if progress:
                progress(done, total)

        try:
            model = _load(spec, device, report)
        # A Streamlit stop or Ctrl-C too: waiting threads must not wait for ever.
        except BaseException as error:
            with self._lock:
                del self._builds[key]
            build.set_exception(error)
            raise
        with self._lock:
            del self._builds[key]
            self._store(key, model)
        build.set_result(model)
        return model


def use_full_precision(device: torch.device) -> None:
    """Let a graphics card multiply in float32: torch's default keeps 10 bits in convolutions, and maps would differ."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False


def _hash_weights(spec: ModelSpec, module: nn.Module) -> str:
    digest = state_sha256(module)
    return hashlib.sha256(f"{digest} {spec.fingerprint}".encode()).hexdigest() if spec.fingerprint else digest


def _load(spec: ModelSpec, device: torch.device, progress: Progress) -> Classifier:
    use_full_precision(device)
    module, preprocessing, labels = spec.build(progress)
    module = module.eval().requires_grad_(False)
    return Classifier(
        name=spec.name,
        title=spec.title,
        family=spec.family,
        module=module.to(device),
        preprocessing=preprocessing,
        labels=labels,
        weights_sha256=_hash_weights(spec, module),
        device=device,
        prefer=spec.prefer,
        note=spec.weights_file.doubt() if spec.weights_file else "",
    )
