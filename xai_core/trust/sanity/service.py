"""Tests by shuffled weights in the background; their outcomes stay on disk."""

from __future__ import annotations

from typing import Any

from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.images import image_sha256
from xai_core.methods.run.explain import Plan, predict
from xai_core.results import Attribution
from xai_core.trust.sanity.randomization import Randomization, count_work, randomization
from xai_core.trust.sanity.records import name_test, save_outcome

_CALL_BYTES = 96 * 2**20
_POOL = JobPool("sanity", workers=2, timeout=CLOSED_TAB_S)


def start_randomization(planned: Plan, session_id: str = "") -> Job[Randomization]:
    """Test the method of a plan in the background and return the job, which equal requests share."""
    model, image, method = planned.model, planned.image, planned.spec.name
    layer = planned.layer.name if planned.layer else None

    def test(job: Job[Any]) -> Randomization:
        result = randomization(model, image, method, planned.seed, job, planned.target, layer)
        target = predict(model, image, 1).classes[0][0] if planned.target is None else planned.target
        save_outcome(result, model.weights_sha256, name_test(image_sha256(image), layer, target))
        return result

    return _POOL.start(
        _find_key(method, layer, model.weights_sha256, planned.target, image_sha256(image), planned.seed),
        test,
        float(count_work(planned)),
        session_id,
        _CALL_BYTES + 2 * sum(weight.nbytes for weight in model.module.parameters()),
    )


def find_randomization(result: Attribution) -> Randomization | None:
    """Return the finished test of a map's method on the same picture, class and layer; None where there is none."""
    weights = result.versions.get("weights")
    key = _find_key(result.method, result.layer, weights, result.target, result.image_sha256, result.seed)
    job = _POOL.find(key)
    return None if job is None else job.result


def _find_key(*about: object) -> tuple[object, ...]:
    """Return the key of a job: method, layer, weights, class, picture and seed. Settings of the method do not count."""
    return ("randomization", *about)
