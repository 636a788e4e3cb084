"""`python -m benchmarks.load.watch ADDRESS PID`: how long health checks take and how much memory the server holds, from
a process of its own.

Ends when its input does, so that it cannot outlive who started it, and then says what it saw in one line of JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # ships no types

EVERY_S = 0.05
GIVE_UP_S = 30.0


def _ask(line: http.client.HTTPConnection) -> float:
    """Seconds to the answer; GIVE_UP_S where none came."""
    start = time.perf_counter()
    try:
        line.request("GET", "/_stcore/health")
        line.getresponse().read()
    except (OSError, http.client.HTTPException):
        line.close()
        return GIVE_UP_S
    return time.perf_counter() - start


def watch(address: str, pid: int, over: threading.Event) -> dict[str, float]:
    """Ask every 50 ms until it is over: `asked`, `worst_s` and when that was (`worst_at`, Unix time), `p99_s`, `peak`
    and `own_cpu_s`.
    """
    line, server = http.client.HTTPConnection(urlsplit(address).netloc, timeout=GIVE_UP_S), psutil.Process(pid)
    waits: list[tuple[float, float]] = []
    peak = 0
    while not over.wait(EVERY_S):
        waits.append((_ask(line), time.time()))
        with suppress(psutil.NoSuchProcess):  # it ended: the visits say so
            peak = max(peak, server.memory_info().rss)
    seconds = sorted(wait for wait, _ in waits)
    worst, moment = max(waits, default=(0.0, 0.0))
    p99 = seconds[int(0.99 * len(seconds))] if seconds else 0.0
    return {
        "asked": len(waits),
        "worst_s": worst,
        "worst_at": moment,
        "p99_s": p99,
        "peak": peak,
        "own_cpu_s": time.process_time(),
    }


def main() -> None:
    over = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    print(json.dumps(watch(sys.argv[1], int(sys.argv[2]), over)))


if __name__ == "__main__":
    main()
