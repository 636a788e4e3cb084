"""Zip files and folders to pictures, labels and masks."""
