"""What describes faces for an action unit analyzer."""

from __future__ import annotations

from mien.appearance.extractor import AppearanceExtractor
from mien.models.records import ActionUnitRecord


def extractor_of(record: ActionUnitRecord) -> AppearanceExtractor:
    """Extractor with the shape model and triangles of a record."""
    return AppearanceExtractor(record.pdm, record.triangles)
