"""Names and order of the action units."""

from __future__ import annotations

from mien.action_units.catalogue import DESCRIPTIONS, INTENSITY_NAMES, PRESENCE_NAMES


def test_eighteen_presences_and_the_same_intensities_without_lip_suck():
    assert len(PRESENCE_NAMES) == 18
    assert set(PRESENCE_NAMES) - set(INTENSITY_NAMES) == {"AU28"}
    assert len(INTENSITY_NAMES) == 17


def test_order_is_by_number_as_in_the_table():
    for names in (PRESENCE_NAMES, INTENSITY_NAMES):
        assert list(names) == sorted(names)
        assert all(len(name) == 4 and name.startswith("AU") for name in names)


def test_every_action_unit_is_described():
    assert all(DESCRIPTIONS[name] for name in PRESENCE_NAMES)
    assert DESCRIPTIONS["AU12"] == "lip corner puller"
