"""Results as files that anyone can read and check."""

from xai_core.report.bundle import npz_bytes, read_npz

__all__ = ["npz_bytes", "read_npz"]
