"""Time, memory and agreement against other packages, measured in one run: `make bench`."""
