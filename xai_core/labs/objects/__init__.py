"""Scenes of several objects, of which one decides: do maps rank the objects as removing them does?"""
