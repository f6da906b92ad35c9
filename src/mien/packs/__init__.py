"""Model packs: which there are, which one is used, and how one becomes the stages of an analysis.

Beside `mien.pipeline` only this room knows several stages. A new pack is one file here, which
`mien.packs.build` calls.
"""

from mien.packs.build import KeptStages, SharedModels, build_stages, read_predictors
from mien.packs.pack import Pack, choose_pack, notice, open_pack, openface_pack

__all__ = [
    "KeptStages",
    "Pack",
    "SharedModels",
    "build_stages",
    "choose_pack",
    "notice",
    "open_pack",
    "openface_pack",
    "read_predictors",
]
