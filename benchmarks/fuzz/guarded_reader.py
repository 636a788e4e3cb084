"""One file, read in a fresh process that is watched: what came of it, how long it took, how much memory, what was said
on stderr.

Memory is resident memory of the child at its highest (VmHWM, set back just before; sampled where the system keeps no
such mark) above where it stood before the reading: it sees what C code allocates, which tracemalloc cannot. Children
are forked from a server that has imported everything and decoded nothing, and give back their free heap first, so
nothing earlier hides or adds to it. A child per file also means that no file is judged in the state another left, and
that a crash of a decoder is one file's result.

Seconds are processor time of the child, on all its threads: what else the machine does is not the reader's doing. One
that only waits is ended by the clock.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Literal

from PIL import Image

from benchmarks.harness.contest import peak_memory
from xai_core.errors import InvalidImage

Reader = Callable[[bytes], Image.Image]
Ending = Literal["read", "refused", "raised", "died"]
GIVE_UP = 20.0
"""Seconds by the clock after which a child is ended."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file. `text` is what was raised, `said` what came out on stdout and stderr."""

    ending: Ending
    text: str = ""
    seconds: float = 0.0
    extra_mb: float = 0.0
    said: str = ""
    mode: str = ""
    size: tuple[int, int] = (0, 0)
    pixels: bytes = b""
    left_over: tuple[str, ...] = ()


def watched(read: Reader, data: bytes, give_up: float = GIVE_UP) -> Outcome:
    """Read `data` in a child; `read` has to be a function that a fresh process can import."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    # Not in its stub.
    child = _context().Process(target=_child, args=(read, data, theirs), daemon=True)  # type: ignore[attr-defined]
    child.start()
    theirs.close()
    try:
        if not ours.poll(give_up):
            return Outcome("died", f"it was still reading after {give_up:g} s", give_up)
        found = ours.recv()
        assert isinstance(found, Outcome)
        return found
    except EOFError:
        child.join()
        return Outcome("died", f"the process ended with exit code {child.exitcode}")
    finally:
        child.kill()
        child.join()
        ours.close()


@lru_cache(maxsize=1)
def _context() -> BaseContext:
    """Children forked from a small server where the system can, each started anew (slowly) elsewhere."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _child(read: Reader, data: bytes, theirs: Connection) -> None:
    # Or the collection before the measurement would go over, and thereby copy, everything the server has imported.
    gc.freeze()
    with tempfile.TemporaryFile() as heard:
        for number in (1, 2):  # the descriptors, because C code writes there past sys.stderr
            os.dup2(heard.fileno(), number)
        found = _measured(read, data)
        sys.stdout.flush()
        sys.stderr.flush()
        heard.seek(0)
        theirs.send(replace(found, said=heard.read().decode(errors="replace")))
    theirs.close()


def _measured(read: Reader, data: bytes) -> Outcome:
    made: Image.Image | None = None
    ending: Ending = "read"
    text = ""
    with peak_memory() as memory:
        start = time.process_time()
        try:
            made = read(data)
        except InvalidImage as error:
            ending, text = "refused", str(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what this program looks for
            ending, text = "raised", f"{type(error).__name__}: {error}"[:300]
        seconds = time.process_time() - start
    found = Outcome(ending, text, seconds, memory.extra_mb)
    if made is None:
        return found
    return replace(found, mode=made.mode, size=made.size, pixels=made.tobytes(), left_over=tuple(map(str, made.info)))
