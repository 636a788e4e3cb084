"""A Whybox of one's own: started as `make run` does, with a data folder of its own, watched from outside, ended by its
number.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
START_S = 180.0
END_S = 10.0
_READY = re.compile(r"Whybox is ready: (\S+)")


@dataclass(frozen=True)
class Server:
    """Where it answers, and its process."""

    address: str
    pid: int


def tidy_on_sigterm() -> None:
    """End this program as if by itself when it is told to end, so that its server is ended too."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit("ended from outside")

    signal.signal(signal.SIGTERM, end)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Wait for the line that says where it answers. Raises RuntimeError with the last lines if it does not come."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := _READY.search(_text(log)):
            return found.group(1)
        time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{_text(log)[-2000:]}")


def _text(log: IO[bytes]) -> str:
    """What was written so far, read without moving the place that the server goes on writing at."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode(errors="replace")


@contextmanager
def serving(environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A warm server on a free port of this machine, with an empty data folder.

    Ended, and its folder removed, at the end.
    """
    with tempfile.TemporaryDirectory(prefix="whybox-load-") as folder, tempfile.TemporaryFile() as log:
        around = {**os.environ, "WHYBOX_DATA": folder, **(environment or {}), "HOST": "127.0.0.1", "PORT": "0"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pages.ui.frame.server"], cwd=ROOT, env=around, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield Server(_address(process, log), process.pid)
            if process.poll() is not None:
                raise RuntimeError(f"The server ended by itself:\n{_text(log)[-2000:]}")
        finally:
            _stop(process)


@dataclass
class Watched:
    """What the watcher saw; filled when its block ends."""

    asked: int = 0
    worst_s: float = 0.0
    worst_at: float = 0.0
    p99_s: float = 0.0
    peak: int = 0
    own_cpu_s: float = 0.0
    began: float = field(default_factory=time.time)

    @property
    def words(self) -> str:
        return f"{self.worst_s:.3f} s, {self.worst_at - self.began:.0f} s after the start; p99 {self.p99_s:.3f} s of {self.asked} asked"


@contextmanager
def watching(server: Server) -> Iterator[Watched]:
    """Health checks and memory of the server from another process, as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.load.watch", server.address, str(server.pid)]
    watcher = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen = Watched()
    try:
        yield seen
        said, _ = watcher.communicate(timeout=60)
        for name, value in json.loads(said).items():
            setattr(seen, name, value)
    finally:
        if watcher.poll() is None:
            _stop(watcher)
