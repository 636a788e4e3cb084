"""Sanity tests of a method: its map by a network with random weights, or one that learnt random labels."""
