"""Work done by a few threads a little ahead of the one that takes the results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from xai_core.engine import cores

P = TypeVar("P")
T = TypeVar("T")


def prefetch(
    function: Callable[[P], T], items: Iterable[P], ahead: int, workers: int = cores.CORES
) -> Generator[T, None, None]:
    """Yield the function's result for each item in order, computed by threads up to `ahead` items early.

    Close the iterator to stop early: what has not begun is then never computed.

    >>> list(prefetch(abs, [-1, 2, -3], ahead=1, workers=2))
    [1, 2, 3]
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="whybox-pictures") as pool:
        pending: deque[Future[T]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
