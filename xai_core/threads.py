"""Waiting policy of idle OpenMP threads; imported before torch, since OpenMP reads it once when it is loaded.

By default they spin, and when anything else wants the cores (OpenVINO's own threads, another process) a backward pass
of two threads takes up to eight times as long. Sleeping costs next to nothing. Whoever has set a policy keeps it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
