"""Catch the cheater: three networks of equal score, of which two cheat, one of them invisibly."""
