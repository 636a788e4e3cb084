"""Attribution methods against their peers."""
