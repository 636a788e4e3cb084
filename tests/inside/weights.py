"""A hash of everything a network has learnt, to show that nothing was written to it."""

from __future__ import annotations

import hashlib

from torch import nn


def hash_weights(module: nn.Module) -> str:
    """Return the SHA-256 of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
