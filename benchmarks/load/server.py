"""A Whybox server in a child process: started as by `make run`, with its own data folder and a health watcher."""

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
    """Address and process id of a server."""

    address: str
    pid: int


def exit_on_sigterm() -> None:
    """Exit normally on SIGTERM, so that the server is stopped too."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit("ended from outside")

    signal.signal(signal.SIGTERM, end)


def _stop_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Wait for the line that states the address.

    Raises:
        RuntimeError: The line did not come; the message holds the end of the log.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if match := _READY.search(_read_log(log)):
            return match.group(1)
        time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{_read_log(log)[-2000:]}")


def _read_log(log: IO[bytes]) -> str:
    """Read the log so far without moving the offset at which the server writes."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode(errors="replace")


@contextmanager
def run_server(environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a warm server on a free local port with an empty data folder; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="whybox-load-") as folder, tempfile.TemporaryFile() as log:
        variables = {**os.environ, "WHYBOX_DATA": folder, **(environment or {}), "HOST": "127.0.0.1", "PORT": "0"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pages.ui.frame.server"],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(_wait_for_address(process, log), process.pid)
            if process.poll() is not None:
                raise RuntimeError(f"The server ended by itself:\n{_read_log(log)[-2000:]}")
        finally:
            _stop_process(process)


@dataclass
class HealthReport:
    """Results of the health watcher; filled when its block ends. `peak` is in bytes."""

    checks: int = 0
    worst_s: float = 0.0
    worst_at: float = 0.0
    p99_s: float = 0.0
    peak: int = 0
    own_cpu_s: float = 0.0
    began: float = field(default_factory=time.time)

    @property
    def words(self) -> str:
        return (
            f"{self.worst_s:.3f} s, {self.worst_at - self.began:.0f} s after the start; "
            f"p99 {self.p99_s:.3f} s of {self.checks} asked"
        )


@contextmanager
def watch_server(server: Server) -> Iterator[HealthReport]:
    """Measure health checks and memory of the server from another process within the block."""
    command = [sys.executable, "-m", "benchmarks.load.watch", server.address, str(server.pid)]
    watcher = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    report = HealthReport()
    try:
        yield report
        output, _ = watcher.communicate(timeout=60)
        for name, value in json.loads(output).items():
            setattr(report, name, value)
    finally:
        if watcher.poll() is None:
            _stop_process(watcher)
