"""State for the pages about tables: tables and models kept in memory under an id, and training in the background.

A session holds ids only. The least recently used go first; then their owner is asked to bring them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.engine.lru_cache import LRUCache
from xai_core.engine.memory import MB
from xai_core.errors import UnknownName
from xai_core.params import check_seed, resolve
from xai_core.tabular.data.builtin import TABLES, load_table
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.leaderboard import Leaderboard, rank_models
from xai_core.tabular.models.object_graph import estimate_bytes
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import TABULAR_MODELS, model_id, train

T = TypeVar("T")

_TABLES: LRUCache[Table] = LRUCache(512 * MB)
_RAW: LRUCache[RawTable] = LRUCache(512 * MB)
_MODELS: LRUCache[TabularModel] = LRUCache(512 * MB)
_GONE = "This table is no longer in memory. Upload it again."


def keep_table(table: Table) -> str:
    """Keep a table in memory and return its id. Equal tables of equal spelling share one."""
    key = table.sha256[:24] + table.spelling[:8]
    _TABLES.put(key, table, _frame_bytes(table.frame) + table.target.nbytes)
    return key


def table(table_id: str) -> Table:
    """Return the table of an id, or a built-in one by its name. Raises UnknownName if it is no longer kept."""
    if table_id in TABLES:
        return load_table(table_id)
    return _check_known(_TABLES.get(table_id))


def keep_raw(raw: RawTable) -> str:
    """Keep a file that was read and has no target yet, and return its id."""
    # The same bytes in another encoding are another table.
    key = f"{raw.sha256[:24]}{raw.encoding}"
    # The place of each text counts too.
    _RAW.put(key, raw, 2 * _frame_bytes(raw.frame))
    return key


def raw(raw_id: str) -> RawTable:
    """Return the file of an id. Raises UnknownName if it is no longer kept."""
    return _check_known(_RAW.get(raw_id))


def _check_known(value: T | None) -> T:
    if value is None:
        raise UnknownName(_GONE)
    return value


def keep_model(model: TabularModel) -> str:
    """Keep a model, for example an own one, and return its id."""
    _MODELS.put(model.id, model, estimate_bytes(model.estimator))
    return model.id


def find_model(model_id: str) -> TabularModel | None:
    """Return the model of an id (`TabularModel.id`, the key of its job), or None if it is not kept."""
    return _MODELS.get(model_id)


# Few finished jobs are kept: each holds its model, whatever the cache of models has room for.
_POOL = JobPool("training", workers=2, quick_workers=1, keep=16, timeout=CLOSED_TAB_S)


def start_training(
    table_id: str,
    name: str = "gradient_boosting",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    session_id: str = "",
) -> Job[TabularModel]:
    """Train in the background and return the job, whose `key` is the model's id. Equal requests share one.

    The job of a model that is still kept is finished. A failed or cancelled training starts again.

    Raises:
        UnknownName: if the table is no longer kept, or no model has the name.
        InvalidParam: if a parameter or the seed is not allowed.

    >>> start_training("iris", "linear").wait().name
    'linear'
    """
    training_table = table(table_id)
    values = resolve(TABULAR_MODELS.get(name).params, params, 0)
    seed = check_seed(seed)
    key = model_id(training_table, name, values, seed)
    known = find_model(key)
    if known is not None:
        return _POOL.put(key, known, session_id)

    def work(job: Job[TabularModel]) -> TabularModel:
        model = train(training_table, name, values, seed, job)
        # Before any session sees that the job is done.
        keep_model(model)
        return model

    cells = training_table.frame.size
    return _POOL.start(key, work, cost=cells / 1000, session_id=session_id, memory=cells * 80)


def start_leaderboard(table_id: str, seed: int = 0, session_id: str = "") -> Job[Leaderboard]:
    """Train all kinds of models with their defaults in the background and return the job; the models are kept.

    Raises:
        UnknownName: if the table is no longer kept.
        InvalidParam: if the seed is not allowed.
    """
    training_table = table(table_id)
    seed = check_seed(seed)

    def train_or_find(name: str, job: Job[Any]) -> TabularModel:
        values = resolve(TABULAR_MODELS.get(name).params, None, 0)
        model = find_model(model_id(training_table, name, values, seed))
        if model is None:
            model = train(training_table, name, values, seed, job)
            keep_model(model)
        return model

    def work(job: Job[Leaderboard]) -> Leaderboard:
        return rank_models(training_table, train_or_find, job)

    cells = training_table.frame.size
    key = ("leaderboard", training_table.sha256, seed)
    return _POOL.start(key, work, cost=cells / 100, session_id=session_id, memory=cells * 80)


def _frame_bytes(frame: Any) -> int:
    return int(frame.memory_usage(deep=True).sum())
