"""Whole sources analysed: videos, pictures, every Nth frame, one person's clips; and the files they leave."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
