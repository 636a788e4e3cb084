"""`python -m benchmarks.load.watch ADDRESS PID`: duration of health checks and memory of a server.

Ends when its input does, so that it cannot outlive its parent, and then prints its results as one line of JSON.
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

INTERVAL_S = 0.05
TIMEOUT_S = 30.0


def _time_health_check(connection: http.client.HTTPConnection) -> float:
    """Measure the seconds to the answer; TIMEOUT_S where none came."""
    start = time.perf_counter()
    try:
        connection.request("GET", "/_stcore/health")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return TIMEOUT_S
    return time.perf_counter() - start


def watch(address: str, pid: int, stop: threading.Event) -> dict[str, float]:
    """Send a health check every 50 ms until `stop` is set; return the results.

    `checks` is their number, `worst_s` the longest and `worst_at` its Unix time; `p99_s`; `peak` memory in bytes;
    `own_cpu_s` of this process.
    """
    connection, server = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S), psutil.Process(pid)
    waits: list[tuple[float, float]] = []
    peak = 0
    while not stop.wait(INTERVAL_S):
        waits.append((_time_health_check(connection), time.time()))
        # It ended: the visits say so.
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, server.memory_info().rss)
    seconds = sorted(wait for wait, _ in waits)
    worst, moment = max(waits, default=(0.0, 0.0))
    p99 = seconds[int(0.99 * len(seconds))] if seconds else 0.0
    return {
        "checks": len(waits),
        "worst_s": worst,
        "worst_at": moment,
        "p99_s": p99,
        "peak": peak,
        "own_cpu_s": time.process_time(),
    }


def main() -> None:
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    print(json.dumps(watch(sys.argv[1], int(sys.argv[2]), stop)))


if __name__ == "__main__":
    main()
