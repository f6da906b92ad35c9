import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import OptionError, SourceError
from mien.sides.epochs import Epoch, codes, codes_in, read_epochs

TIMES = np.arange(100) / 25.0


def written(tmp_path, text, name="epochs.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_seconds_milliseconds_and_frames_mean_the_same(tmp_path):
    ways = [
        "start,end,action\n0,1,BL\n1.2,2,BS\n",
        "action,start_ms,end_ms\nBL,0,1000\nBS,1200,2000\n",
        "\ufeffstart;end;action\r\n0;1,0;BL\r\n1,2;2;BS\r\n",
        "start\tend\taction\n0\t1\tBL\n1.2\t2\tBS\n",
        "start_frame,end_frame,action\n1,25,BL\n31,50,BS\n",
        "start,end,action,unit\n0,1,BL,s\n31,50,BS,frame\n",
        "\ufeffStart, End, Action\n0,1,BL\n\n1.2,2,BS\n",
    ]
    for text in ways:
        bl, bs = read_epochs(written(tmp_path, text), TIMES)
        assert (bl.action, bs.action) == ("BL", "BS")
        assert (bl.frames(TIMES).sum(), bs.frames(TIMES).sum()) == (25, 20)
        assert np.flatnonzero(bs.frames(TIMES))[[0, -1]].tolist() == [30, 49]


def test_a_coded_table_gives_runs_of_the_same_action(tmp_path):
    rows = [""] * 5 + ["BL"] * 10 + ["BS"] * 5 + [""] * 3 + ["BS"] * 2
    text = "frame,AU12_r,action\n" + "".join(f"{i},0.1,{a}\n" for i, a in enumerate(rows, start=1))
    epochs = read_epochs(written(tmp_path, text), TIMES)
    assert [(e.action, int(e.frames(TIMES).sum())) for e in epochs] == [("BL", 10), ("BS", 5), ("BS", 2)]
    assert codes(epochs, TIMES)[: len(rows)] == rows


def test_a_json_list_is_read(tmp_path):
    items = [{"action": "BS", "start": 1.0, "end": 2.0, "status": "confirmed"}]
    path = written(tmp_path, json.dumps(items), "ranges.json")
    assert read_epochs(path, TIMES) == (Epoch(1.0, 2.0, "BS"),)


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("start,end,action\n0,1,BL\n0.5,2,BS\n", "row 3", "overlaps BL"),
        ("start,end,action\n-1,1,BL\n", "row 2", "0 s or later"),
        ("start,end,action\n2,1,BL\n", "row 2", "end after the start"),
        ("start,end,action\n1,1,BL\n", "row 2", "end after the start"),
        ("start,end,action\n0,1,BL\n60,61,BS\n", "row 3", "after the end of the video at 4.000 s"),
        ("start,end,action,unit\n0,1,BL,hours\n", "row 2", "'hours'"),
        ("start,end,action\n0,soon,BL\n", "row 2", "'soon'"),
        ("start,end,action\n0,nan,BL\n", "row 2", "expected a number for end"),
        ("start,end,action\n0,1,\n", "row 2", "name of an action"),
        ("start_frame,end_frame,action\n0,5,BL\n", "row 2", "counted from 1"),
        ("start_frame,end_frame,action\n1,101,BL\n", "row 2", "after the end of the video"),
        ("start_frame,end_frame,action\n9,5,BL\n", "row 2", "before its start"),
        ("frame,action\n5,BL\n4,BL\n", "row 3", "rising order"),
    ],
)
def test_an_impossible_epoch_is_one_line_with_its_row(tmp_path, text, row, words):
    with pytest.raises(SourceError) as caught:
        read_epochs(written(tmp_path, text), TIMES)
    message = str(caught.value)
    assert row in message and words in message and "\n" not in message  # noqa: PT018


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs.csv", "begin,finish,what\n0,1,BL\n"),
        ("epochs.csv", "start,action\n0,BL\n"),
        ("epochs.csv", "start,end,action\n"),
        ("epochs.csv", ""),
        ("epochs.txt", "0 1 BL"),
        ("epochs.json", '{"action": "BL"}'),
        ("epochs.json", "[1"),
        ("epochs.eaf", "no xml"),
        ("epochs.TextGrid", "no grid"),
    ],
)
def test_a_file_that_holds_no_epochs_is_refused(tmp_path, name, text):
    if name.endswith(("eaf", "TextGrid")):
        pytest.importorskip("pympi")
    with pytest.raises(SourceError, match="expected"):
        read_epochs(written(tmp_path, text, name), TIMES)


def test_tiers_of_elan_are_read(tmp_path):
    pympi = pytest.importorskip("pympi")
    file = pympi.Elan.Eaf()
    file.add_tier("actions")
    file.add_tier("notes")
    file.add_annotation("actions", 1200, 2000, "BS")
    file.add_annotation("actions", 0, 1000, "BL")
    file.to_file(str(tmp_path / "a.eaf"))
    expected = (Epoch(0.0, 1.0, "BL"), Epoch(1.2, 2.0, "BS"))
    assert read_epochs(tmp_path / "a.eaf", TIMES) == expected
    assert read_epochs(tmp_path / "a.eaf", TIMES, tier="actions") == expected
    with pytest.raises(SourceError, match="tier 'faces'"):
        read_epochs(tmp_path / "a.eaf", TIMES, tier="faces")


def test_tiers_of_praat_are_read(tmp_path):
    pympi = pytest.importorskip("pympi")
    grid = pympi.Praat.TextGrid(xmin=0, xmax=4)
    tier = grid.add_tier("actions")
    tier.add_interval(0, 1, "BL")
    tier.add_interval(1.2, 2, "BS")
    grid.to_file(str(tmp_path / "a.TextGrid"))
    assert read_epochs(tmp_path / "a.TextGrid", TIMES) == (Epoch(0.0, 1.0, "BL"), Epoch(1.2, 2.0, "BS"))


@given(st.text(max_size=60))
def test_any_text_is_epochs_or_one_clear_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("start,end,action\n" + text, encoding="utf-8", errors="surrogateescape")
    try:
        epochs = read_epochs(path, TIMES)
    except SourceError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert all(0 <= epoch.start_s < epoch.end_s for epoch in epochs)


def test_frames_have_the_numbers_of_the_table_where_a_video_begins_later(tmp_path):
    path = written(tmp_path, "start_frame,end_frame,action\n11,13,BL\n15,20,BS\n")
    numbers = np.arange(11, 31)
    epochs = read_epochs(path, TIMES[10:30], frames=numbers)
    assert [numbers[epoch.frames(TIMES[10:30])].tolist() for epoch in epochs] == [
        [11, 12, 13],
        [15, 16, 17, 18, 19, 20],
    ]
    with pytest.raises(SourceError, match=r"row 2: frame 11 comes before the first that is there, 12"):
        read_epochs(path, TIMES[11:30], frames=numbers[1:])


@pytest.mark.parametrize(
    "text",
    [
        "start,end,action\n0,0.2,BL\n0.4,0.6,BS\n0.9,2,RE\n",
        "start_frame,end_frame,action\n1,6,BL\n13,18,BS\n28,60,RE\n",
    ],
)
def test_of_a_part_of_a_video_epochs_outside_are_left_out(tmp_path, text):
    path = written(tmp_path, text)
    part = slice(9, 30)
    (epoch,) = read_epochs(path, TIMES[part], frames=np.arange(1, len(TIMES) + 1)[part], partial=True)
    assert epoch.action == "BS"
    assert read_epochs(path, np.zeros(0), partial=True) == ()


def test_what_is_impossible_in_any_video_is_known_without_it(tmp_path):
    fine = written(tmp_path, "start,end,action\n0,1,BL\n7,8,BS\n")
    assert codes_in(fine) == {"BL", "BS"}
    for text in ("start,end,action\n0,2,BL\n1,3,BS\n", "start_frame,end_frame,action\n1,9,BL\n9,12,BS\n"):
        with pytest.raises(SourceError, match=r"row 3: BS, .* overlaps BL"):
            codes_in(written(tmp_path, text))


def test_pictures_without_times_have_no_epochs(tmp_path):
    path = written(tmp_path, "start_frame,end_frame,action\n1,2,BL\n")
    with pytest.raises(SourceError, match="fps"):
        read_epochs(path, np.zeros(5))


def test_a_tier_is_refused_where_there_are_none(tmp_path):
    with pytest.raises(OptionError, match="tier"):
        read_epochs(written(tmp_path, "start,end,action\n0,1,BL\n"), TIMES, tier="actions")
