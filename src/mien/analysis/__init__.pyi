# Loaded when they are first used: an analysis needs few of them.

from .output_set import OutputSet as OutputSet
from .outputs import OutputOptions as OutputOptions
from .pictures import PictureAnalysis as PictureAnalysis
from .pictures import analyze_pictures as analyze_pictures
from .videos import Analysis as Analysis
from .videos import analyze as analyze
from .videos import open_source as open_source
from .videos import track as track
