"""Faithfulness by hiding: does the answer fall when the strongest pieces of a map are hidden first?"""
