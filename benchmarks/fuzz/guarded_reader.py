"""Reading of one file in a fresh process, with its outcome, time, memory and output.

Memory is the peak resident memory of the child (VmHWM, reset just before; sampled where the system has no such counter)
above its level before the reading: it includes allocations of C code, which tracemalloc does not see. Children are
forked from a server that has imported everything and decoded nothing, and return their free heap first, so that nothing
earlier hides or adds to it. With a child per file, no file sees the state that another left, and a crash of a decoder
is the result of one file.

Seconds are processor time of the child over all its threads, independent of other load. A child that only waits is
ended after TIMEOUT_S.
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
from xai_core.errors import XaiError

Reader = Callable[[bytes], object]
Ending = Literal["read", "refused", "raised", "died"]
TIMEOUT_S = 20.0
"""Wall time after which a child is ended, s."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of reading one file. `text` is the error, `output` what came on stdout and stderr."""

    ending: Ending
    text: str = ""
    seconds: float = 0.0
    extra_mb: float = 0.0
    output: str = ""
    mode: str = ""
    size: tuple[int, int] = (0, 0)
    pixels: bytes = b""
    info_keys: tuple[str, ...] = ()
    value: object = None
    """Result of a reader that returns no picture; it can be pickled."""


def read_in_child(read: Reader, data: bytes, timeout: float = TIMEOUT_S) -> Outcome:
    """Read `data` in a child; `read` has to be a function that a fresh process can import."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # Not in its stub.
    start_process = _process_context().Process  # type: ignore[attr-defined]
    child = start_process(target=_run_child, args=(read, data, sender), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(timeout):
            return Outcome("died", f"it was still reading after {timeout:g} s", timeout)
        outcome = receiver.recv()
        assert isinstance(outcome, Outcome)
        return outcome
    except EOFError:
        child.join()
        return Outcome("died", f"the process ended with exit code {child.exitcode}")
    finally:
        child.kill()
        child.join()
        receiver.close()


@lru_cache(maxsize=1)
def _process_context() -> BaseContext:
    """The forkserver context where the system has it, else spawn, which is slow."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.fuzz.suites"])
    return context


def _run_child(read: Reader, data: bytes, sender: Connection) -> None:
    # Or the collection before the measurement would go over, and thereby copy, everything the server has imported.
    gc.freeze()
    with tempfile.TemporaryFile() as stream:
        # The descriptors, because C code writes there past sys.stderr.
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
        outcome = _measure_reading(read, data)
        sys.stdout.flush()
        sys.stderr.flush()
        stream.seek(0)
        sender.send(replace(outcome, output=stream.read().decode(errors="replace")))
    sender.close()


def _measure_reading(read: Reader, data: bytes) -> Outcome:
    result: object = None
    ending: Ending = "read"
    text = ""
    with peak_memory() as memory:
        start = time.process_time()
        try:
            result = read(data)
        except XaiError as error:
            ending, text = "refused", str(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what this program looks for
            ending, text = "raised", f"{type(error).__name__}: {error}"[:300]
        seconds = time.process_time() - start
    outcome = Outcome(ending, text, seconds, memory.extra_mb)
    if not isinstance(result, Image.Image):
        return replace(outcome, value=result)
    return replace(
        outcome, mode=result.mode, size=result.size, pixels=result.tobytes(), info_keys=tuple(map(str, result.info))
    )
