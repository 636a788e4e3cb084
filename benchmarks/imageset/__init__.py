"""Image sets against their peers."""
