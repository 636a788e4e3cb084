"""Labelled sets of pictures: read one, run a model over it, map it, find its extremes, neighbours and mistakes.

Names are loaded at their first use; `__init__.pyi` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
