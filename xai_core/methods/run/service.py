"""State for the pages about pictures: maps made in the background and kept, models kept warm, and the server's load."""

from __future__ import annotations

import atexit
import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image

from xai_core import settings
from xai_core.engine import jobs, memory
from xai_core.engine.backends.forward import forward_for, is_forward_built
from xai_core.engine.backends.gradients import gradient_note, start_gradients
from xai_core.engine.jobs import BUDGET, CLOSED_TAB_S, Job, JobPool, count_jobs
from xai_core.engine.lru_cache import LRUCache
from xai_core.engine.results.shares import Share
from xai_core.engine.results.store import Store
from xai_core.engine.scheduler import SCHEDULER
from xai_core.engine.split.split_network import split_network_for
from xai_core.images import image_sha256
from xai_core.methods.base.previews import Previews
from xai_core.methods.base.spec import METHODS
from xai_core.methods.run.explain import Plan, carry_out, predict
from xai_core.models import MODELS, find_model, load_model, models_in_memory
from xai_core.models.classifier import Classifier
from xai_core.results import Attribution, Prediction

DEFAULT_MODEL = "efficientnet_lite0"
_STORE_MB = 1024
_OPENING = threading.Lock()


def _store() -> Store:
    """Return the store of finished maps, also those of earlier processes; opened once, whichever thread asks first."""
    with _OPENING:
        return _open_store()


@functools.cache
def _open_store() -> Store:
    setting_mb = settings.results_mb()
    megabytes = _STORE_MB if setting_mb is None else setting_mb
    store = Store(settings.data_dir("results"), disk_bytes=megabytes * memory.MB)
    # Writes what the disk did not take before.
    atexit.register(store.close)
    return store


def _store_result(job: Job[Attribution]) -> None:
    if job.result is not None:
        _store().put(str(job.key), job.result)


_POOL = JobPool("attributions", timeout=CLOSED_TAB_S, on_done=_store_result)


def start(planned: Plan, session_id: str = "") -> Job[Attribution]:
    """Explain in the background and return the job, which equal requests of all sessions share.

    The job of a map that this or an earlier process has made is finished. A failed or cancelled one starts again.

    >>> from xai_core import SAMPLES, load_model, plan
    >>> job = start(plan(load_model("small_cnn"), SAMPLES.get("digit_3").load(), "grad_cam"))
    >>> job.wait().values.shape
    (28, 28)
    """
    job = jobs.watch(planned.id, session_id)
    if job is not None and not job.is_stopping and job.state not in ("failed", "cancelled"):
        return job
    known = _store().get(planned.id)
    if known is not None:
        return _POOL.put(planned.id, known, session_id)
    return _POOL.start(planned.id, partial(_explain_with_previews, planned), planned.weight, session_id, planned.memory)


def _explain_with_previews(planned: Plan, job: Job[Attribution]) -> Attribution:
    """Make a map, and a preview of it for each poll of a page that asks the job for one."""
    return carry_out(planned, job, Previews(job.show_preview, lambda: job.is_preview_wanted))


def find(result_id: str) -> Attribution | None:
    """Return a finished map by its id (`Plan.id`), also one made before a restart."""
    result = _store().get(result_id)
    if result is None:
        # Evicted by newer ones, but perhaps still on a page.
        job = _POOL.find(result_id)
        result = job.result if job is not None else None
        if result is not None:
            _store().put(result_id, result)
    return result


def share(
    result_ids: Sequence[str], page: str, query: Mapping[str, str], owner: str, picture: Image.Image | None = None
) -> Share:
    """Make a short link to finished maps and to a page with its choices; the owner's secret can delete it.

    `picture` is kept with it. Raises UnknownName if a map is no longer known.
    """
    for result_id in result_ids:
        # Puts a map back that the store has evicted and a page still shows.
        find(result_id)
    return _store().share(result_ids, page, query, owner, picture)


def find_share(code: str) -> Share | None:
    """Return what a short link leads to, also of a deleted one; None for a code that is not known."""
    return _store().shares.find(code)


def find_shared_picture(code: str) -> Image.Image | None:
    """Return the picture that was kept with a short link."""
    return _store().shares.picture(code)


def delete_share(code: str, owner: str) -> bool:
    """Delete a short link with its picture; False unless this secret is its owner's."""
    return _store().shares.delete(code, owner)


def find_picture(result_id: str) -> Image.Image | None:
    """Return the picture that an old link, with ids and no code, keeps with a map."""
    return _store().picture(result_id)


def forget_picture(result_id: str, token: str) -> bool:
    """Delete the picture that an old link keeps with a map; False unless the token is its owner's."""
    return _store().forget_picture(result_id, token)


def store_note() -> str:
    """Return a sentence if maps are kept in memory only, else an empty text."""
    return _store().note


# Latest predictions by content, limited by their number: every run of a page asks for them.
_GUESSES: LRUCache[Prediction] = LRUCache(512)


def guess(model: Classifier, image: Image.Image, top: int = 5) -> Prediction:
    """Return `predict` from a cache: the `top` likeliest classes of a picture, best first.

    >>> from xai_core import SAMPLES, load_model
    >>> guess(load_model("small_cnn"), SAMPLES.get("digit_3").load(), top=1).classes[0][1]
    '3'
    """
    key = f"{model.weights_sha256} {model.device} {image_sha256(image)} {top}"
    prediction = _GUESSES.get(key)
    if prediction is None:
        prediction = predict(model, image, top)
        _GUESSES.put(key, prediction, 1)
    return prediction


def warm(name: str = DEFAULT_MODEL, job: Job[None] | None = None) -> Classifier:
    """Load a model with its forward, its layers and its methods' refusals, so that no session waits for them later.

    `job` counts the bytes of a download.
    """
    job = job or Job()

    def report(done: int, total: int) -> None:
        job.done = done
        job.expect(total)
        job.tick()

    model = load_model(name, progress=report)
    model.layers()
    forward_for(model)
    split_network_for(model)
    for spec in METHODS.specs():
        spec.refusal(model)
    start_gradients(model)
    return model


def ready(name: str) -> Classifier | None:
    """Return the model if it is in memory and warm, without waiting behind the downloads of other sessions."""
    model = find_model(name)
    return model if model is not None and is_forward_built(model) else None


_MODEL_POOL = JobPool("models", workers=2, quick_workers=0, keep=len(MODELS))


def _load(name: str, job: Job[None]) -> None:
    # The job holds no model: the model cache alone decides which ones stay in memory.
    warm(name, job)


def start_model(name: str, session_id: str = "") -> Job[None]:
    """`warm` a model in the background: one job for all sessions, with the download's progress."""
    MODELS.get(name)
    return _MODEL_POOL.start(name, lambda job: _load(name, job), session_id=session_id, restart=True)


@dataclass(frozen=True)
class Status:
    """Load of this process and what it keeps. Sizes in MB (2**20 bytes)."""

    waiting: int
    working: int
    sessions: int
    evaluations_per_second: float
    memory_mb: float
    """Memory of the process, models and Python included."""
    budget_mb: float
    reserved_mb: float
    """Part of the budget that the working jobs have reserved."""
    hits: int
    misses: int
    results: int
    stored_mb: float
    models: tuple[str, ...]
    gradient_notes: Mapping[str, str]
    """By model: the engine of its gradients, in a sentence; without those whose gradients nobody needed yet."""
    note: str


def _gradient_notes() -> dict[str, str]:
    models = {name: find_model(name) for name in models_in_memory()}
    notes = {name: gradient_note(model) for name, model in models.items() if model is not None}
    return {name: note for name, note in notes.items() if note}


def status() -> Status:
    """Return the current load, memory, stored maps and models of this process."""
    load, stored = count_jobs(BUDGET.pools), _store().counts()
    return Status(
        waiting=load.waiting,
        working=load.working,
        sessions=load.sessions,
        evaluations_per_second=SCHEDULER.speed,
        memory_mb=memory.resident() / memory.MB,
        budget_mb=memory.budget() / memory.MB,
        reserved_mb=load.reserved / memory.MB,
        hits=stored.memory_hits + stored.disk_hits,
        misses=stored.misses,
        results=stored.results,
        stored_mb=stored.disk_bytes / memory.MB,
        models=models_in_memory(),
        gradient_notes=_gradient_notes(),
        note=store_note(),
    )
