"""A thin, checked layer over Captum: the same names in the dashboard, a notebook and the command line.

Names are loaded at their first use; `__init__.pyi` lists them. How it is built: README.md beside this file.
"""

import lazy_loader

# First: OpenMP reads how its threads wait when torch is loaded.
from xai_core import threads  # noqa: F401

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
