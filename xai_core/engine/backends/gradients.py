"""The compiled gradients of each model, by pictures of several sides and by layers: built once in the background, and
plain torch until then and where they are not right.

A request takes one of them at its start and keeps it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import ref

from xai_core import settings
from xai_core.engine import cores, memory
from xai_core.engine.backends.compiled_gradients import (
    CompiledGradients,
    CompiledLayerGradients,
    build_gradients,
    build_layer_gradients,
)
from xai_core.engine.backends.forward import forward_for, is_forward_built
from xai_core.engine.backends.network import weight_bytes
from xai_core.engine.jobs import BUDGET
from xai_core.engine.scheduler import SCHEDULER
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer
from xai_core.object_cache import cache_per_object

log = logging.getLogger(__name__)

# Gradients after which compiling pays off, where nobody has asked for it.
START_AFTER = 256
# The same for one layer's: each saves several times what a picture in a batch does.
START_LAYER_AFTER = 64
# Layers of a model with compiled gradients: each holds the weights once more.
MAX_LAYERS = 3
# Sides of pictures, likewise: the network's own and that of the views of visualizations.
MAX_SIDES = 2
# Two graphs with the weights of both halves each, and what the plugin packs anew.
_COPIES = 6
# Seconds for which a build waits for others' work before it begins, and for memory.
PATIENCE_S = 30.0
_QUIET_S = 0.5
_BUILD_ERRORS = (RuntimeError, ValueError, TypeError, NotImplementedError, ImportError, AttributeError, KeyError)
_ONE_AT_A_TIME = threading.Lock()

READY = "Maps made from gradients run on the fast engine."
BUILDING = "The fast engine for gradients is being prepared."
SLOW = "Maps made from gradients take longer with this model: they run in plain torch. {reason}"
_CANNOT = "The fast engine cannot compute them."
_FAILED = "The fast engine failed on them."
_NO_MEMORY = "The fast engine needs {needed:,.0f} MB of memory for them, and that is not free."


Compiled = TypeVar("Compiled", CompiledGradients, CompiledLayerGradients)


@dataclass(eq=False)
class _State(Generic[Compiled]):
    """Of one model, or of one of its layers; `note` is a sentence for the page."""

    compiled: Compiled | None = None
    note: str = ""
    count: int = 0
    started: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    finished: threading.Event = field(default_factory=threading.Event)


@dataclass(eq=False)
class _States:
    """Of one model; `sides` by the pictures' side, `layers` by the layer's name."""

    sides: dict[int, _State[CompiledGradients]] = field(default_factory=dict)
    layers: dict[str, _State[CompiledLayerGradients]] = field(default_factory=dict)


@cache_per_object
def _states_of(model: Classifier) -> _States:
    return _States()


def _side_state(model: Classifier, side: int | None = None) -> _State[CompiledGradients]:
    """Return the state for pictures of a side, by default the network's own."""
    return _states_of(model).sides.setdefault(side or model.side, _State())


def _layer_state(model: Classifier, layer: Layer) -> _State[CompiledLayerGradients]:
    return _states_of(model).layers.setdefault(layer.alias_of or layer.name, _State())


def ready_gradients(model: Classifier, side: int | None = None) -> CompiledGradients | None:
    """Return the compiled gradients by pictures of a side, by default the network's own, if they are built and right;
    None means plain torch.
    """
    return _side_state(model, side).compiled


def ready_layer_gradients(model: Classifier, layer: Layer) -> CompiledLayerGradients | None:
    """Return those by a layer's maps, likewise."""
    return _layer_state(model, layer).compiled


def gradient_note(model: Classifier) -> str:
    """Return a sentence on the engine of the input gradients, "" where nobody needed them yet."""
    return _side_state(model).note


def count_gradients(model: Classifier, count: int, side: int | None = None) -> None:
    """Count gradients made in plain torch; where they become many, compiling starts."""
    state = _side_state(model, side)
    state.count += count
    if state.count >= START_AFTER:
        start_gradients(model, side)


def count_layer_gradients(model: Classifier, layer: Layer) -> None:
    """Count a gradient by a layer's maps made in plain torch, likewise."""
    state = _layer_state(model, layer)
    state.count += 1
    if state.count >= START_LAYER_AFTER and settings.compiles_gradients() and _claim(model, state):
        _start(model, layer)


def start_gradients(model: Classifier, side: int | None = None) -> None:
    """Build the compiled gradients in the background, once."""
    if settings.compiles_gradients() and _claim(model, _side_state(model, side)):
        _start(model, side or model.side)


def prepare_gradients(model: Classifier, side: int | None = None) -> str:
    """Build the compiled gradients now, or wait for those being built; return the note."""
    state = _side_state(model, side)
    if _claim(model, state):
        _build(model, side or model.side)
    state.finished.wait()
    return state.note


def prepare_layer_gradients(model: Classifier, layer: Layer) -> str:
    """Build those by a layer's maps, likewise."""
    state = _layer_state(model, layer)
    if _claim(model, state):
        _build(model, layer)
    state.finished.wait()
    return state.note


def drop_gradients(model: Classifier, side: int | None = None) -> None:
    """Go back to plain torch for good: the compiled gradients have failed."""
    _drop(_side_state(model, side))


def drop_layer_gradients(model: Classifier, layer: Layer) -> None:
    """Do so for one layer's."""
    _drop(_layer_state(model, layer))


def _drop(state: _State[CompiledGradients] | _State[CompiledLayerGradients]) -> None:
    state.compiled, state.note = None, SLOW.format(reason=_FAILED)


def _claim(model: Classifier, state: _State[CompiledGradients] | _State[CompiledLayerGradients]) -> bool:
    """Return True to the one caller that has to build."""
    with state.lock:
        # What runs forward in plain torch is on a graphics card, or does not convert.
        possible = is_forward_built(model) and forward_for(model).backend == "openvino"
        # Failed ones count too: they would fail again.
        layers, sides = list(_states_of(model).layers.values()), list(_states_of(model).sides.values())
        if state in layers:
            possible = possible and sum(of_layer.started for of_layer in layers) < MAX_LAYERS
        else:
            possible = possible and sum(of_side.started for of_side in sides) < MAX_SIDES
        if state.started or not possible:
            if not state.started:
                state.finished.set()
            return False
        state.started, state.note = True, BUILDING
        state.finished.clear()
        return True


def _start(model: Classifier, by: Layer | int) -> None:
    arguments = (ref(model), by)
    threading.Thread(target=_build_in_background, args=arguments, name="whybox-gradients", daemon=True).start()


def _build_in_background(reference: ref[Classifier], by: Layer | int) -> None:
    with _ONE_AT_A_TIME:
        _wait_for_quiet()
        model = reference()
        if model is not None:
            _build(model, by)


def _wait_for_quiet() -> None:
    """Wait until the workers have had nothing to do for a moment, so that no visitor's map is delayed."""
    end = time.monotonic() + PATIENCE_S
    quiet_since = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET_S:
        time.sleep(0.05)
        if not SCHEDULER.is_idle:
            quiet_since = time.monotonic()


def _reserve(needed: int) -> bool:
    """Reserve memory for a build, waiting a while for that of running jobs; False where it is too much."""
    end = time.monotonic() + PATIENCE_S
    if needed > memory.budget() // 2:
        return False
    while not BUDGET.reserve(needed):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _build(model: Classifier, by: Layer | int) -> None:
    """Build the compiled gradients by pictures of a side, or by a layer's maps, and say in the note how it went."""
    if isinstance(by, int):
        _fill(_side_state(model, by), model, lambda: build_gradients(model, by))
    else:
        _fill(_layer_state(model, by), model, lambda: build_layer_gradients(model, by))


def _fill(state: _State[Compiled], model: Classifier, build: Callable[[], Compiled | str]) -> None:
    needed = _COPIES * weight_bytes(model)
    try:
        if not _reserve(needed):
            state.note = SLOW.format(reason=_NO_MEMORY.format(needed=needed / memory.MB))
            return
        try:
            with cores.limit(cores.CORES_PER_WORKER):
                result = build()
        except _BUILD_ERRORS as problem:
            log.warning("The gradients of %s cannot be compiled: %s", model.name, problem)
            result = _CANNOT
        finally:
            BUDGET.release(needed)
        if isinstance(result, str):
            log.info("The compiled gradients of %s are not used: %s", model.name, result)
            state.note = SLOW.format(reason=result)
        else:
            state.compiled, state.note = result, READY
    finally:
        state.finished.set()
