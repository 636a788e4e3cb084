"""The environment variables of this project: each WHYBOX_ variable is read here and nowhere else.

| variable | meaning | default |
|---|---|---|
| WHYBOX_DATA | folder of everything that can be computed again | the user's cache folder |
| WHYBOX_SETS | folders that may be read as image sets, separated like PATH | none |
| WHYBOX_LANES | batches that run side by side | by the number of cores |
| WHYBOX_MAX_MODELS | models kept in memory | by the memory of the machine |
| WHYBOX_MEMORY_MB | memory for the work of all jobs | a third of what is free |
| WHYBOX_UPLOADS_MB | memory for the uploads of all visitors | a share of what is free |
| WHYBOX_STORE_MB | disk for results | see methods/service |
| WHYBOX_SETS_MB | disk for uploaded image sets | see imageset/sets |
| WHYBOX_PASSES_MB | disk for model runs over image sets | see imageset/runs |
| WHYBOX_NETWORKS_MB | disk for translated networks | see engine/backends/graph_files |
| WHYBOX_COMPILED_GRADIENTS | 0: gradients are never compiled in the background | 1 |
"""

from __future__ import annotations

import os
from pathlib import Path


def read_int(name: str) -> int | None:
    """Return the whole number under this name, or None where the environment has none."""
    text = os.environ.get(name, "").strip()
    return int(text) if text.isdecimal() else None


def data_dir(part: str) -> Path:
    """Return the folder for one kind of data, below WHYBOX_DATA or the user's cache folder; it is not created here."""
    chosen = os.environ.get("WHYBOX_DATA")
    cache = os.environ.get("XDG_CACHE_HOME")
    root = Path(chosen) if chosen else (Path(cache) if cache else Path.home() / ".cache") / "whybox"
    return root / part


def worker_count() -> int | None:
    """Return WHYBOX_LANES where it is a positive number, else None."""
    return read_int("WHYBOX_LANES") or None


def image_set_dirs() -> tuple[Path, ...]:
    """Return the resolved folders of WHYBOX_SETS that exist."""
    names = filter(None, os.environ.get("WHYBOX_SETS", "").split(os.pathsep))
    return tuple(path for path in (Path(os.path.realpath(name)) for name in names) if path.is_dir())


def max_models() -> int | None:
    return read_int("WHYBOX_MAX_MODELS")


def memory_mb() -> int | None:
    return read_int("WHYBOX_MEMORY_MB")


def uploads_mb() -> int | None:
    return read_int("WHYBOX_UPLOADS_MB")


def results_mb() -> int | None:
    return read_int("WHYBOX_STORE_MB")


def image_sets_mb() -> int | None:
    return read_int("WHYBOX_SETS_MB")


def networks_mb() -> int | None:
    return read_int("WHYBOX_NETWORKS_MB")


def compiles_gradients() -> bool:
    return read_int("WHYBOX_COMPILED_GRADIENTS") != 0


def runs_mb() -> int | None:
    return read_int("WHYBOX_PASSES_MB")
