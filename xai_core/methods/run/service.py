"""What a server needs on top of `explain`: maps made in the background, shared, kept and found again; and how busy it all is."""

from __future__ import annotations

import atexit
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from xai_core import settings
from xai_core.engine import jobs, memory
from xai_core.engine.backends.forward import forward_for, is_forward_built
from xai_core.engine.jobs import BUDGET, CLOSED_TAB_S, Job, JobPool, count_jobs
from xai_core.engine.lru_cache import Recent
from xai_core.engine.scheduler import SCHEDULER
from xai_core.engine.split.split_network import split_network_for
from xai_core.engine.store import Store
from xai_core.images import image_sha256
from xai_core.methods.base.spec import METHODS
from xai_core.methods.run.explain import Plan, carry_out, predict
from xai_core.models import MODELS, find_model, load_model, models_in_memory
from xai_core.models.classifier import Classifier
from xai_core.results import Attribution, Prediction

DEFAULT_MODEL = "efficientnet_lite0"
_STORE_MB = 1024


_OPENING = threading.Lock()


def _store() -> Store:
    """Finished maps of this process and of those before it, at most WHYBOX_STORE_MB on disk. Opened once, however many ask first."""
    with _OPENING:
        return _opened()


@functools.cache
def _opened() -> Store:
    wanted = settings.results_mb()
    store = Store(settings.data_dir("results"), disk_bytes=(_STORE_MB if wanted is None else wanted) * memory.MB)
    atexit.register(store.close)  # writes what the disk did not take before
    return store


def _keep(job: Job[Attribution]) -> None:
    if job.result is not None:
        _store().put(str(job.key), job.result)


_POOL = JobPool("attributions", timeout=CLOSED_TAB_S, on_done=_keep)


def start(planned: Plan, session_id: str = "") -> Job[Attribution]:
    """Explain in the background: the job to watch, shared by everybody who asks for the same map. `session_id` says who asks.

    A map that was made before, by this process or an earlier one, is there at once. What failed or was stopped is started again.
    """
    job = jobs.watch(planned.id, session_id)
    if job is not None and not job.stopping and job.state not in ("failed", "cancelled"):
        return job
    found = _store().get(planned.id)
    if found is not None:
        return _POOL.put(planned.id, found, session_id)
    return _POOL.start(planned.id, lambda job: carry_out(planned, job), planned.weight, session_id, planned.memory)


def find(result_id: str) -> Attribution | None:
    """A finished map by its id (`Plan.id`), also one made before a restart."""
    found = _store().get(result_id)
    if found is None:  # pushed out by newer ones, but perhaps still on somebody's page
        job = _POOL.find(result_id)
        found = job.result if job is not None else None
        if found is not None:
            _store().put(result_id, found)
    return found


def find_picture(result_id: str) -> Image.Image | None:
    """The picture that somebody had kept with a map."""
    return _store().picture(result_id)


def keep_picture(result_ids: Sequence[str], image: Image.Image) -> str:
    """Keep the picture of these maps with them, so that a link shows both. The owner's secret, with which it can be deleted.

    Raises UnknownName where a map is no longer known.
    """
    for result_id in result_ids:
        find(result_id)  # puts back what the store has lost and a page still shows
    return _store().keep_picture(result_ids, image)


def forget_picture(result_id: str, token: str) -> bool:
    """Delete the picture kept with a map; False unless the token is its owner's."""
    return _store().forget_picture(result_id, token)


def store_note() -> str:
    """Why maps are only kept in memory, as a sentence, or an empty text."""
    return _store().note


_GUESSES: Recent[Prediction] = Recent(512)
"""The latest predictions by content, counted by number, since every look of a page asks for them."""


def guess(model: Classifier, image: Image.Image, top: int = 5) -> Prediction:
    """`predict`, remembered: the `top` likeliest classes of a picture, best first."""
    key = f"{model.weights_sha256} {model.device} {image_sha256(image)} {top}"
    found = _GUESSES.get(key)
    if found is None:
        found = predict(model, image, top)
        _GUESSES.put(key, found, 1)
    return found


def warm(name: str = DEFAULT_MODEL, job: Job[None] | None = None) -> Classifier:
    """Load a model with its forward, its layers and what can be right on it, so that nobody waits for them later.

    `job` counts the bytes of a download.
    """

    def report(done: int, total: int) -> None:
        if job is not None:
            job.done = done
            job.expect(total)
            job.tick()

    model = load_model(name, progress=report)
    model.layers()
    forward_for(model)
    split_network_for(model)
    for spec in METHODS.specs():
        spec.refusal(model)
    return model


def ready(name: str) -> Classifier | None:
    """The model if it is in memory and warm: having it must not wait in line behind other people's downloads."""
    model = find_model(name)
    return model if model is not None and is_forward_built(model) else None


_MODEL_POOL = JobPool("models", workers=2, quick_workers=0, keep=len(MODELS))


def _load(name: str, job: Job[None]) -> None:
    """A job of its own keeps no model: the model cache alone decides which ones stay in memory."""
    warm(name, job)


def start_model(name: str, session_id: str = "") -> Job[None]:
    """`warm` in the background, with the progress of the download. One job however many ask; then `load_model` has it at once."""
    MODELS.get(name)
    return _MODEL_POOL.start(name, lambda job: _load(name, job), session_id=session_id, restart=True)


@dataclass(frozen=True)
class Status:
    """How busy this process is with everything that it makes in the background. Sizes in MB (2**20 bytes)."""

    waiting: int
    working: int
    sessions: int
    evaluations_per_second: float
    memory_mb: float
    """What the process holds now, the model and Python included."""
    budget_mb: float
    reserved_mb: float
    """What is set aside for the jobs that work, of the budget."""
    hits: int
    misses: int
    results: int
    stored_mb: float
    models: tuple[str, ...]
    note: str


def status() -> Status:
    """Queue, memory, stored maps and models of this process, now."""
    load, kept = count_jobs(BUDGET.pools), _store().counts()
    return Status(
        waiting=load.waiting,
        working=load.working,
        sessions=load.sessions,
        evaluations_per_second=SCHEDULER.speed,
        memory_mb=memory.resident() / memory.MB,
        budget_mb=memory.budget() / memory.MB,
        reserved_mb=load.reserved / memory.MB,
        hits=kept.memory_hits + kept.disk_hits,
        misses=kept.misses,
        results=kept.results,
        stored_mb=kept.disk_bytes / memory.MB,
        models=models_in_memory(),
        note=store_note(),
    )
