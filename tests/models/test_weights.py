"""Fetching weights: once, checked, and never half; from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torch import nn

from xai_core.errors import Cancelled, ModelUnavailable
from xai_core.models import WeightsFile
from xai_core.models.weights import state_sha256

CONTENT = bytes(range(256)) * 12_000  # three megabytes: several chunks


class Server(ThreadingHTTPServer):
    """Serves CONTENT; /cut stops half way, /gone is not there."""

    daemon_threads = True
    requests = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.requests += 1
        if self.path.startswith("/gone"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path.startswith("/cut") else CONTENT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def checkpoints(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return tmp_path / "hub" / "checkpoints"


def publish(server: Server, where: str = "/good", digest: str = hashlib.sha256(CONTENT).hexdigest()[:8]) -> WeightsFile:
    name = f"net-{digest}.pth"
    return WeightsFile(name, f"http://127.0.0.1:{server.server_port}{where}/{name}", 3.1)


def test_it_is_fetched_whole_and_once_by_eight_threads(server, checkpoints):
    file, progress, paths = publish(server), [], []
    threads = [
        threading.Thread(target=lambda: paths.append(file.fetch(lambda *at: progress.append(at)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.requests == 1 and set(paths) == {checkpoints / file.name} and len(paths) == 8
    assert file.path.read_bytes() == CONTENT and file.doubt() == ""
    assert progress == sorted(progress) and len(progress) >= 3 and progress[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in checkpoints.iterdir()] == [file.name]


def test_a_file_that_is_there_is_used_but_a_foreign_one_is_not_passed_off_as_the_published(server):
    file = publish(server)
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(b"placed by hand")
    assert file.fetch().read_bytes() == b"placed by hand" and server.requests == 0
    assert str(file.path) in file.doubt()


@pytest.mark.parametrize(
    ("where", "digest", "why"),
    [
        ("/cut", hashlib.sha256(CONTENT).hexdigest()[:8], "stopped at|Incomplete"),
        ("/good", "0badc0de", "checksum"),
        ("/gone", "0badc0de", "Not Found"),
    ],
)
def test_a_broken_download_leaves_nothing_and_says_what_to_do(where, digest, why, server, checkpoints):
    file = publish(server, where, digest)
    with pytest.raises(ModelUnavailable, match=why) as caught:
        file.fetch()
    assert file.url in str(caught.value) and str(file.path) in str(caught.value)
    assert list(checkpoints.iterdir()) == []
    if where == "/cut":  # nothing is remembered: the next try may succeed
        assert WeightsFile(file.name, file.url.replace("/cut", "/good"), 3.1).fetch().exists()


def test_nobody_there(server):
    file = publish(server)
    server.server_close()
    with pytest.raises(ModelUnavailable, match="could not be fetched"):
        file.fetch()


def test_a_folder_that_cannot_be_written_is_a_sentence_too(server, checkpoints):
    checkpoints.parent.mkdir(parents=True)
    checkpoints.write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match="could not be fetched"):
        publish(server).fetch()


def test_cancelling_the_download_leaves_nothing(server, checkpoints):
    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        publish(server).fetch(stop)
    assert list(checkpoints.iterdir()) == []


def small(seed: int = 0) -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def test_the_hash_is_of_names_and_every_byte():
    reference = state_sha256(small())
    assert len(reference) == 64 and state_sha256(small()) == reference != state_sha256(small(1))
    for name in ("0.weight", "1.bias", "1.running_var", "1.num_batches_tracked"):
        changed = small()
        changed.state_dict()[name].view(-1)[-1:].add_(1)
        assert state_sha256(changed) != reference, name
    swapped = nn.Sequential(small()[0].double(), small()[1])
    assert state_sha256(swapped) != reference
    renamed = nn.ModuleDict({"a": small()})
    assert state_sha256(renamed) != reference
