"""The limit for all uploads: files held and files being sent both count, and nothing else is held up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from pages.ui.frame import uploads
from pages.ui.frame.uploads import UploadLimit

MB = 2**20


class Inner:
    """An app that says 204 when it is let go on, and holds what it was sent."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})


async def put(
    app: UploadLimit, size: str | None, path: str = "/_stcore/upload_file/someone/1", method: str = "PUT"
) -> tuple[int, bytes]:
    """Status and text of the answer."""
    answer: dict[str, Any] = {"body": b""}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        answer.update({name: value for name, value in message.items() if name in ("status", "body")})

    headers = [] if size is None else [(b"content-length", size.encode())]
    await app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return answer["status"], answer["body"]


@pytest.fixture
def held_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of one number: the bytes that Streamlit holds."""
    holding = [0]
    monkeypatch.setattr(uploads, "used_bytes", lambda: holding[0])
    return holding


def test_a_page_closed_in_the_middle_is_no_fault_and_is_forgotten(held_bytes: list[int]) -> None:
    async def leaves(scope: Any, receive: Any, send: Any) -> None:
        raise ClientDisconnect

    async def visits() -> None:
        app = UploadLimit(leaves, 100 * MB)
        for _ in range(3):
            with pytest.raises(KeyError):  # no answer at all
                await put(app, str(60 * MB))

    asyncio.run(visits())


def test_files_on_their_way_count_and_are_forgotten_when_they_have_come(held_bytes: list[int]) -> None:
    async def visits() -> None:
        inner = Inner()
        app = UploadLimit(inner, 100 * MB)
        first, second = (asyncio.create_task(put(app, str(40 * MB))) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(inner.asked) == 2
        status, text = await put(app, str(30 * MB))
        assert status == 413 and b"Try a smaller file" in text
        inner.go_on.set()
        assert [(await task)[0] for task in (first, second)] == [204, 204]
        assert (await put(app, str(100 * MB)))[0] == 204, "nothing is on its way any more"
        held_bytes[0] = 1
        assert (await put(app, str(100 * MB)))[0] == 413

    asyncio.run(visits())


def test_a_failed_upload_takes_no_room(held_bytes: list[int]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError("the visitor has gone")

    async def visits() -> None:
        app = UploadLimit(broken, 10 * MB)
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await put(app, str(10 * MB))

    asyncio.run(visits())


@pytest.mark.parametrize("size", [None, "-1", "many", "1e9"])
def test_a_file_of_unknown_size_is_not_let_in(held_bytes: list[int], size: str | None) -> None:
    assert asyncio.run(put(UploadLimit(Inner(), MB), size))[0] == 411


def test_everything_else_passes(held_bytes: list[int]) -> None:
    async def visits() -> None:
        inner = Inner()
        inner.go_on.set()
        app = UploadLimit(inner, 1)
        assert (await put(app, None, method="DELETE"))[0] == 204
        assert (await put(app, "5", path="/_stcore/health"))[0] == 204
        scope = {"type": "websocket", "path": uploads.UPLOAD_PATH}
        await app(scope, None, lambda message: asyncio.sleep(0))  # type: ignore[arg-type]

    asyncio.run(visits())


def test_the_limit_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYBOX_UPLOADS_MB", "7")
    uploads.max_bytes.cache_clear()
    try:
        assert uploads.max_bytes() == 7 * MB
    finally:
        uploads.max_bytes.cache_clear()


def test_a_file_that_did_not_arrive_is_told_by_the_status_of_the_answer() -> None:
    """In the words of Streamlit's own page."""
    full = uploads.describe_failure("Error: AxiosError: Request failed with status code 413")
    lost = uploads.describe_failure("Error: AxiosError: Network Error")
    assert full == uploads.FULL and "memory" in full and "again" in full
    assert lost != full and "network" in lost and lost.endswith(".")
    assert 1_000_000 * uploads.accepted_mb(25) > 25 * MB, "a file of just the limit comes here"
