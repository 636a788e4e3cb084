"""The path through a graphics card, proved in one command: same maps as on the CPU, thirty sessions, memory, speed."""
