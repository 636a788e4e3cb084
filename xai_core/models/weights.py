"""Weights on disk: fetched once, checked, read without unpickling and put into a module that was never randomly
initialised.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import threading
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from xai_core.errors import ModelUnavailable

# Called with bytes done and bytes in total (0 if the server does not say).
Progress = Callable[[int, int], None]
State = dict[str, torch.Tensor]

_CHUNK = 1 << 20
_TIMEOUT_S = 20.0
_LOCKS: dict[str, threading.Lock] = {}
_LOCKS_GUARD = threading.Lock()


@dataclass(frozen=True)
class WeightsFile:
    """A file in torch's own cache, so that weights another project has fetched are used and ours are of use to it."""

    name: str
    url: str
    size_mb: float

    @property
    def path(self) -> Path:
        """The file's place in torch's cache; follows TORCH_HOME."""
        return Path(torch.hub.get_dir()) / "checkpoints" / self.name

    @property
    def sha256_prefix(self) -> str:
        """The start of the content's SHA-256, which torchvision writes into the name: resnet18-f37072fd.pth."""
        match = re.search(r"-([0-9a-f]{8,64})\.[a-z]+$", self.name)
        return match.group(1) if match else ""

    @property
    def by_hand(self) -> str:
        return f"Fetch {self.url} on a machine with a connection and put it at {self.path}."

    def doubt(self) -> str:
        """Return a sentence if the file present is not the published one, else empty.

        A file somebody placed is used if it fits the network, as torch itself does, but never silently.
        """
        with self.path.open("rb") as file:
            digest = (
                hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)
            )
        if digest.startswith(self.sha256_prefix):
            return ""
        return (
            f"The weights in {self.path} are not the published ones (SHA-256 starts {digest[:8]}); "
            "delete the file to fetch them again."
        )

    def fetch(self, progress: Progress | None = None) -> Path:
        """Return the file's path, downloaded first if it is not there. Several threads asking at once download once.

        Raises ModelUnavailable if it cannot be had, with what to do.
        """
        with _LOCKS_GUARD:
            lock = _LOCKS.setdefault(str(self.path), threading.Lock())
        with lock:
            if not self.path.exists():
                self._download(progress)
            return self.path

    def _download(self, progress: Progress | None) -> None:
        partial = self.path.with_name(f"{self.name}.{uuid.uuid4().hex}.partial")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._receive(partial, progress)
            os.replace(partial, self.path)
        except (OSError, http.client.HTTPException) as error:
            why = str(getattr(error, "reason", "") or error) or type(error).__name__
            raise ModelUnavailable(
                f"The weights file {self.name} ({self.size_mb:.0f} MB) is not here and could not be fetched ({why}). "
                f"{self.by_hand}"
            ) from error
        finally:
            with suppress(OSError):  # gone already, or its folder could not be made
                partial.unlink()

    def _receive(self, partial: Path, progress: Progress | None) -> None:
        """Write the download to `partial`; raises OSError if it is cut short or is another file than it should be."""
        digest, done = hashlib.sha256(), 0
        request = urllib.request.Request(self.url, headers={"User-Agent": "whybox"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer, partial.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if progress:
                    progress(done, total)
        if done < total:
            raise OSError(f"the download stopped at {done} of {total} bytes")
        if not digest.hexdigest().startswith(self.sha256_prefix):
            raise OSError("what arrived is not the published file: its checksum differs")


def _digest(file: Any) -> Any:
    """hashlib.file_digest of Python 3.11 for Python 3.10."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest


# Errors of torch.load and load_state_dict for a file that is cut, foreign or of another network: there is no common
# class.
_BROKEN = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    UnpicklingError,
)


def read_state(path: Path, remedy: str) -> State:
    """Return the tensors of a .pth file, on the CPU.

    Raises ModelUnavailable naming the file and the remedy if it cannot be read.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except _BROKEN as error:
        raise ModelUnavailable(
            f"The weights file {path} is missing, damaged or not a weights file. {remedy}"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelUnavailable(f"The weights file {path} does not hold the weights of a network. {remedy}")
    return state  # type: ignore[return-value]  # keeps torch's own dict class, whose _metadata load_state_dict reads


def assemble(make: Callable[[], nn.Module], state: State, path: Path, remedy: str) -> nn.Module:
    """Return the module that `make` builds, with exactly these weights, in eval mode and without gradients.

    It is built on torch's meta device, so that no random initialisation runs: that would draw from the global
    generator, and is slow.
    """
    try:
        with torch.device("meta"):
            module = make()
        module.load_state_dict(state, strict=True, assign=True)
    except _BROKEN as error:
        raise ModelUnavailable(f"The weights file {path} does not fit this network. {remedy}") from error
    return module.eval().requires_grad_(False)


def state_sha256(module: nn.Module) -> str:
    """Return SHA-256 over the names and bytes of all weights, in the order of their names: the same weights have the
    same hash on any device.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(memoryview(array.reshape(-1)).cast("B") if array.size else b"")
    return digest.hexdigest()
