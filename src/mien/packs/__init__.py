"""Model packs: which there are, which one is used, and how one becomes the stages of an analysis.

Beside `mien.pipeline` only this room knows several stages. A new pack is one file here, named in
`mien.packs.choice.PACKS`.
"""

from mien.packs.choice import (
    PACKS,
    KeptStages,
    build_stages,
    choose_pack,
    describe_pack,
    read_predictors,
    shared_models,
)
from mien.packs.pack import Pack

__all__ = [
    "PACKS",
    "KeptStages",
    "Pack",
    "build_stages",
    "choose_pack",
    "describe_pack",
    "read_predictors",
    "shared_models",
]
