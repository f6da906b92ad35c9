# What `mien` offers, loaded when it is first used.

# Loaded by `mien.__getattr__`: the name of the function is that of its folder.
import mien.sides.analysis

from .analysis.videos import Analysis as Analysis
from .analysis.videos import analyze as analyze
from .analysis.videos import track as track
from .datatypes import ActionUnits as ActionUnits
from .datatypes import Camera as Camera
from .datatypes import EyeShape as EyeShape
from .datatypes import FaceBoxes as FaceBoxes
from .datatypes import FaceLandmarks as FaceLandmarks
from .datatypes import FaceResult as FaceResult
from .datatypes import Frame as Frame
from .datatypes import Gaze as Gaze
from .datatypes import HeadPose as HeadPose
from .errors import FrameError as FrameError
from .errors import MienError as MienError
from .errors import ModelFileError as ModelFileError
from .errors import ModelsMissingError as ModelsMissingError
from .errors import OptionError as OptionError
from .errors import OutputError as OutputError
from .errors import ProviderError as ProviderError
from .errors import SourceError as SourceError
from .errors import StoppedError as StoppedError
from .errors import TableError as TableError
from .errors import UnexpectedError as UnexpectedError
from .options import AnalysisOptions as AnalysisOptions
from .pipeline import Pipeline as Pipeline
from .report.making import write_report as write_report
from .report.options import ReportOptions as ReportOptions
from .results import VideoResult as VideoResult
from .runtime.versions import __version__ as __version__
from .stages import Stages as Stages
from .video.file import VideoFile as VideoFile

sides = mien.sides.analysis.sides
