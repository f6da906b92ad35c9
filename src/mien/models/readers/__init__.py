"""Readers of every model file format: bytes in, records (`mien.models.records`) out."""

from mien.models.readers.action_units import read_action_units
from mien.models.readers.ccnf import read_ccnf
from mien.models.readers.cen import read_cen
from mien.models.readers.landmark_model import read_landmark_model
from mien.models.readers.mtcnn import mtcnn_from_npz, read_mtcnn
from mien.models.readers.shape_files import read_early_termination, read_pdm, read_triangulation
from mien.models.readers.validator import read_validator

__all__ = [
    "mtcnn_from_npz",
    "read_action_units",
    "read_ccnf",
    "read_cen",
    "read_early_termination",
    "read_landmark_model",
    "read_mtcnn",
    "read_pdm",
    "read_triangulation",
    "read_validator",
]
