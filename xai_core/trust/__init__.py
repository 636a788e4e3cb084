"""Trust in a map: checks and verdict, agreement, hiding tests, sanity tests of methods, metrics, and doubt.

Names are loaded at their first use; `__init__.pyi` lists them. `metrics`, `hiding` and `sanity` stand above the
methods, everything else below them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
