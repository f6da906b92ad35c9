import numpy as np
import pytest

from mien.action_units.catalogue import INTENSITY_NAMES
from mien.sides.actions import curves_of, longest_run, smoothed
from mien.sides.epochs import Epoch
from mien.sides.measures import SIDE_MEASURES
from mien.sides.observer import Layout
from mien.sides.relative import BothSeries
from mien.sides.result import SidesResult, assemble
from sides_faces import symmetric_face
from synthetic_result import make_result

N, FPS = 200, 50.0
EPOCHS = (Epoch(0.0, 1.0, "BL"), Epoch(1.0, 3.0, "BS"), Epoch(3.0, 4.0, "RE"))
AU12, AU06 = INTENSITY_NAMES.index("AU12"), INTENSITY_NAMES.index("AU06")


def result(left: float = 2.0, right: float = 1.0, late: int = 0, seed: int = 0) -> SidesResult:
    """A smile from 1 to 3 s, as strong as said on each side, the left one later by some frames."""
    video = make_result(N)
    object.__setattr__(video, "time_s", np.arange(N) / FPS)
    object.__setattr__(video, "success", np.ones(N, bool))
    object.__setattr__(video, "landmarks", np.full((N, 68, 2), 50, np.float32))
    face = np.repeat(symmetric_face()[None, :, :2], N, axis=0)
    layout = Layout(
        np.ones(N, bool),
        np.ones(N, bool),
        face,
        np.repeat(np.stack([face[0, 42:48].mean(0), face[0, 36:42].mean(0)])[None], N, axis=0),
        np.full(N, 5.885),
        np.full(N, 2.0),
        *np.zeros((3, N)),
    )
    intensity = np.zeros((2, N, 17))
    rise = np.clip(np.sin(np.pi * (np.arange(N) / FPS - 1.0) / 2.0), 0, None) * (np.arange(N) < 150)
    intensity[0, :, AU12] = 0.2 + left * np.roll(rise, late)
    intensity[1, :, AU12] = 0.2 + right * rise
    intensity[0, :, AU06] = 0.5 * left * rise
    intensity += np.random.default_rng(seed).normal(0, 1e-3, intensity.shape)
    series = BothSeries(intensity, intensity.copy(), np.zeros((2, N, 18)))
    return assemble(video, layout, series, max_yaw_rad=0.3)


def row(table, action, measure):
    (found,) = [r for r in table if (r.action, r.measure) == (action, measure)]
    return found


def test_a_smile_is_summed_up_against_rest():
    smile = row(result().actions(EPOCHS), "BS", "AU12")
    assert smile.sides["baseline"] == pytest.approx((0.2, 0.2), abs=0.01)
    assert smile.sides["change"] == pytest.approx((1.9, 0.95), rel=0.06)
    assert smile.sides["peak_time"] == pytest.approx((1.0, 1.0), abs=0.06)
    assert smile.paired["ratio"] == pytest.approx(0.5, abs=0.02)
    assert smile.paired["index"] == pytest.approx(1 / 3, abs=0.02)
    assert smile.paired["percent_difference"] == pytest.approx(200 / 3, abs=3)
    assert smile.paired["correlation"] > 0.99
    assert smile.paired["lag"] == pytest.approx(0.0)


def test_the_index_says_which_side_is_stronger():
    assert row(result(1.0, 2.0).actions(EPOCHS), "BS", "AU12").paired["index"] < -0.2


def test_a_side_that_comes_later_has_a_positive_lag():
    assert row(result(2.0, 2.0, late=5).actions(EPOCHS), "BS", "AU12").paired["lag"] == pytest.approx(0.1)


def test_sides_that_hardly_move_are_not_compared():
    table = result(0.25, 0.1).actions(EPOCHS)
    smile = row(table, "BS", "AU12")
    assert np.isnan(list(smile.paired.values())).all()
    assert table.cells()[0][-5:] == [""] * 5


def test_what_moves_along_is_a_number_per_side():
    table = result().actions(EPOCHS)
    coupled = row(table, "BS", "oral-ocular AU06/AU12")
    assert coupled.sides["change"][0] == pytest.approx(0.5, abs=0.03)
    assert coupled.sides["change"][1] == pytest.approx(0.0, abs=0.02)
    assert not [r for r in table if r.action == "RE" and r.measure.startswith("oral-ocular")]


def test_without_rest_nothing_is_guessed():
    smile = row(result().actions(EPOCHS[1:]), "BS", "AU12")
    assert np.isnan(smile.sides["baseline"]).all()
    assert np.isnan(smile.sides["change"]).all()
    assert smile.sides["plateau"][0] > 1.0


def test_frames_that_are_not_usable_do_not_count():
    both = result()
    both.usable[60:100] = False
    smile = row(both.actions(EPOCHS), "BS", "AU12")
    assert (smile.frames, smile.usable) == (100, 60)


def test_no_word_of_the_table_is_a_grade():
    table = result().actions(EPOCHS)
    words = " ".join([*table.header, *(cell for cells in table.cells() for cell in cells)]).lower()
    for verdict in ("normal", "abnormal", "paralys", "palsy", "grade", "house", "severe", "complete"):
        assert verdict not in words


def test_every_epoch_has_every_curve():
    both = result()
    table = both.actions(EPOCHS)
    assert len(curves_of(both)) == 17 + len(SIDE_MEASURES) + 1
    for action in ("BL", "BS", "RE"):
        assert sum(r.action == action and r.kind != "coupling" for r in table) == len(curves_of(both))


def test_plateaus_and_means():
    assert longest_run(np.array([1, 0, 1, 1, 1, 0, 1, 1], bool)) == slice(2, 5)
    assert longest_run(np.zeros(4, bool)) == slice(0, 4)
    for length in (1, 2, 3, 4, 9):
        assert smoothed(np.full(length, 2.5)) == pytest.approx(np.full(length, 2.5))
