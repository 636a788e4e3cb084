"""What the pages about tables call: tables and models kept for a while under an id, and training in the background.

A session holds ids only. What was used longest ago goes first; then its owner is asked to bring it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.engine.lru_cache import Recent
from xai_core.engine.memory import MB
from xai_core.errors import UnknownName
from xai_core.params import check_seed, resolve
from xai_core.tabular.data.builtin import TABLES, load_table
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.object_graph import estimate_bytes
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import TABULAR_MODELS, model_id, train

_TABLES: Recent[Table] = Recent(512 * MB)
_RAW: Recent[RawTable] = Recent(512 * MB)
_MODELS: Recent[TabularModel] = Recent(512 * MB)
_GONE = "This table is no longer in memory. Upload it again."


def keep_table(table: Table) -> str:
    """Keep a table for a while; its id. Equal tables share one."""
    key = table.sha256[:24]
    _TABLES.put(key, table, _frame_bytes(table.frame) + table.target.nbytes)
    return key


def table(table_id: str) -> Table:
    """The table of an id, or a built-in one by its name. Raises UnknownName where it is no longer kept."""
    if table_id in TABLES:
        return load_table(table_id)
    found = _TABLES.get(table_id)
    if found is None:
        raise UnknownName(_GONE)
    return found


def keep_raw(raw: RawTable) -> str:
    """Keep a file that was read, before its target is chosen; its id."""
    key = raw.sha256[:24]
    _RAW.put(key, raw, _frame_bytes(raw.frame))
    return key


def raw(raw_id: str) -> RawTable:
    """The file of an id. Raises UnknownName where it is no longer kept."""
    found = _RAW.get(raw_id)
    if found is None:
        raise UnknownName(_GONE)
    return found


def keep_model(model: TabularModel) -> str:
    """Keep a model, for example an own one; its id."""
    _MODELS.put(model.id, model, estimate_bytes(model.estimator))
    return model.id


def trained(key: str) -> TabularModel | None:
    """The model of an id (`TabularModel.id`, the key of its job), or None if it is not made or no longer kept."""
    return _MODELS.get(key)


_POOL = JobPool("training", workers=2, quick_workers=1, keep=16, timeout=CLOSED_TAB_S)
"""Few are kept: a finished job holds its model whether or not there is room for it."""


def start_training(
    table_id: str,
    name: str = "gradient_boosting",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    session_id: str = "",
) -> Job[TabularModel]:
    """Train in the background: the job to watch, whose `key` is the model's id. Equal requests share one.

    A model that is still kept is there at once; what failed or was stopped starts again. Raises UnknownName, InvalidParam.
    """
    learnt_from = table(table_id)
    chosen = resolve(TABULAR_MODELS.get(name).params, params, 0)
    seed = check_seed(seed)
    key = model_id(learnt_from, name, chosen, seed)
    kept = trained(key)
    if kept is not None:
        return _POOL.put(key, kept, session_id)

    def work(job: Job[TabularModel]) -> TabularModel:
        model = train(learnt_from, name, chosen, seed, job)
        keep_model(model)  # before anybody sees that the job is done
        return model

    cells = learnt_from.frame.size
    return _POOL.start(key, work, cost=cells / 1000, session_id=session_id, memory=cells * 80)


def _frame_bytes(frame: Any) -> int:
    return int(frame.memory_usage(deep=True).sum())
