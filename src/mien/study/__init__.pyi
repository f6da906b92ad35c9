# What `mien.study` offers, loaded when it is first used.

from .composites import COMPOSITES as COMPOSITES
from .composites import Composite as Composite
from .engines import DaskEngine as DaskEngine
from .engines import ExecutorEngine as ExecutorEngine
from .engines import LocalEngine as LocalEngine
from .event import Event as Event
from .events import Events as Events
from .events import find_events as find_events
from .find import Choice as Choice
from .find import Recording as Recording
from .find import find_recordings as find_recordings
from .gather import Forms as Forms
from .planning import Planning as Planning
from .planning import Shard as Shard
from .read import read_series as read_series
from .rules import EventRule as EventRule
from .rules import SummaryOptions as SummaryOptions
from .run import Outcome as Outcome
from .run import Study as Study
from .series import FaceSeries as FaceSeries
from .series import series_of_result as series_of_result
from .series import series_of_table as series_of_table
from .summaries import Summary as Summary
from .summaries import summarise as summarise
from .tables import summarise_tables as summarise_tables
