"""The number of pictures that are decoded at a time."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from xai_core.images import decode_lock, read_image, reading


@pytest.mark.parametrize(("limit", "together"), [(100, 1), (10**6, 4)])
def test_large_pictures_are_unpacked_one_after_the_other(
    limit: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four at once would each hold hundreds of megabytes. Small ones meet, or the barrier breaks."""
    whole, meeting, inside, most = reading.shrink, threading.Barrier(together, timeout=20), [0], [0]

    def shrink_slowly(image: Image.Image, size: tuple[int, int]) -> Image.Image:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        meeting.wait()
        time.sleep(0.01)
        inside[0] -= 1
        return whole(image, size)

    monkeypatch.setattr(reading, "shrink", shrink_slowly)
    monkeypatch.setattr(decode_lock, "LARGE_PIXELS", limit)
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "PNG")
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(read_image, [out.getvalue()] * 4))) == 4
    assert most[0] == together
