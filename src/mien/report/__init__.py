"""Reports: one HTML file per recording, to look at before numbers are read; and an overview of many."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
