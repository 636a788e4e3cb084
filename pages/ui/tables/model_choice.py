"""Choice of the model: kind, settings and seed; trained as soon as a page needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from pages.ui.frame import link_readers, url_state
from pages.ui.frame.session import session_id
from pages.ui.tables import table_choice
from pages.ui.widgets import background, forms, show, uploader
from xai_core import Job, tabular
from xai_core.params import Value
from xai_core.tabular import TABULAR_MODELS, Table, TabularModel, model_id

DEFAULT_MODEL = "gradient_boosting"
MAX_UPLOAD_MB = 200


class Settings(NamedTuple):
    """Kind, parameters and seed of a model to train."""

    name: str
    params: Mapping[str, Value]
    seed: int


def restore() -> None:
    """Restore the choice, also on pages that do not show it."""
    link_readers.restore_entry("learner", DEFAULT_MODEL, TABULAR_MODELS)


def render_choice() -> Settings:
    """Render the choice of a model, its settings and the seed."""
    names = list(TABULAR_MODELS)
    name = st.selectbox(
        "Kind of model",
        names,
        url_state.index_of(names, "learner"),
        lambda name: TABULAR_MODELS.get(name).title,
        key="learner",
    )
    spec = TABULAR_MODELS.get(name)
    readable = "You can read it directly." if spec.glass_box else "It cannot be read directly: it needs explaining."
    st.caption(f"{spec.sentence} {readable}")
    params = forms.render_params(spec.params, 0, name)
    return Settings(name, params, forms.render_seed())


def restore_settings() -> Settings:
    """Return the value of `render_choice` without rendering it."""
    spec = TABULAR_MODELS.get(st.session_state["learner"])
    return Settings(spec.name, forms.restore_params(spec.params, 0, spec.name), forms.restore_seed())


def has_own_model() -> bool:
    return bool(st.session_state.get("own_model"))


def forget_own_model() -> None:
    """Callback: back to a model trained here."""
    st.session_state["model_uploads"] = st.session_state.get("model_uploads", 0) + 1
    st.session_state.pop("own_model", None)


def render_uploader(table: Table) -> None:
    """Render the uploader of an own scikit-learn model for this table."""
    key = f"model_file_{st.session_state.get('model_uploads', 0)}"
    file = uploader.render("Your model (skops)", key, MAX_UPLOAD_MB, "Use a smaller model.")
    st.caption(
        f"Up to {MAX_UPLOAD_MB} MB. "
        "A scikit-learn model or pipeline that was fitted on exactly this table's columns, saved with skops.io.dump. "
        "Pickle and joblib files are never opened: they could run any code on this computer."
    )
    if file is not None:

        def read(_job: Job[str]) -> str:
            return tabular.keep_model(tabular.load_own_model(file.getvalue(), table))

        own_id = background.compute(
            ("own model", file.file_id, table.sha256),
            read,
            "Reading your model",
            write_failure=show.write_upload_problem,
        )
        if own_id is not None:
            st.session_state["own_model"] = own_id
    if has_own_model():
        st.button("Use a model trained here", on_click=forget_own_model, icon=":material/undo:")


def _find_own_model(table: Table) -> TabularModel | None:
    """Return the own model if it is in memory and belongs to the table in use, else None with a note."""
    model = tabular.find_model(st.session_state["own_model"])
    if model is not None and model.table.sha256 == table.sha256:
        return model
    forget_own_model()
    show.write_problem(
        "Your own model belongs to another table or is no longer in memory, so a model trained here is in "
        "use. Upload it again."
    )
    return None


def current_model(table: Table, settings: Settings) -> TabularModel | None:
    """Return the model, or None while the page shows its training; a former request's training stops."""
    if has_own_model() and (own := _find_own_model(table)) is not None:
        return own
    name, params, seed = settings
    key = model_id(table, name, params, seed)
    return background.follow(
        ("train", key),
        lambda: tabular.start_training(table_choice.table_id(), name, params, seed, session_id()),
        f"Training: {TABULAR_MODELS.get(name).title}",
        again=False,
    )
