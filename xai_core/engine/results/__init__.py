"""Finished results in memory and in SQLite, whatever happens to the disk."""
