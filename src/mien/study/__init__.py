"""Many recordings: found, analysed where that is missing, summed up, and their events."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
