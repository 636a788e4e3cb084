"""Tables: how a model of rows and columns decides, in general and for one row.

Names are loaded at their first use; `__init__.pyi` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
