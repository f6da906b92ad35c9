"""From flags to mien's own options, and to the original's places."""

from datetime import datetime
from pathlib import Path

import pytest

from mien.dropin.flags import SELECTIONS, Program
from mien.dropin.request import Input, Source, read_request
from mien.errors import OptionError
from mien.results.columns import Group

FE, IMG, MULTI = Program
ALL = frozenset(Group)


def request_of(line, program=FE):
    return read_request(program, line.split())


def test_without_a_selection_everything_is_written():
    outputs = request_of("-f a.avi -nobadaligned").outputs
    assert (outputs.groups, outputs.hog, outputs.drawing.style) == (ALL, True, "openface")
    assert outputs.aligned.as_analysed
    assert not outputs.aligned.keep_failed


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection_leaves_all_others_out(name):
    outputs = request_of(f"-f a.avi {name}").outputs
    chosen = [len(outputs.groups), outputs.hog, outputs.drawing is not None, outputs.aligned is not None]
    assert sum(chosen) == 1


@pytest.mark.parametrize("program", Program)
def test_faces_are_analysed_as_the_original_does(program):
    options = request_of("-f a", program).options
    assert (options.models, options.compat) == ("openface", "openface")
    assert options.faces == (None if program is FE else "many")
    assert options.skip == ()


def test_appearance_is_left_out_where_nobody_wants_it():
    assert request_of("-f a -pose -tracked").options.skip == ("aus",)
    for name in ("-aus", "-hogalign", "-simalign"):
        assert request_of(f"-f a {name}").options.skip == ()


def test_inputs_keep_their_order_and_go_below_the_last_root():
    request = request_of("-fdir b -root r -f a.avi -inroot s -f /abs/c.avi")
    assert request.inputs == (
        Input(Source.FOLDER, "s/b"),
        Input(Source.FILE, "s/a.avi"),
        Input(Source.FILE, "/abs/c.avi"),
    )


def test_a_camera_goes_before_files():
    request = request_of("-f a.avi -device 2 -cam_width 1280 -cam_height 720")
    assert request.inputs == (Input(Source.CAMERA, "2"),)
    assert request.camera_size == (1280, 720)
    assert "not read" in request.warnings[0]
    assert request_of("-device 0").camera_size == (640, 480)


def test_pictures_go_before_their_folder_and_the_first_folder_counts():
    request = request_of("-fdir d -f a.jpg -f b.jpg -bboxdir boxes", IMG)
    assert [source.path for source in request.inputs] == ["a.jpg", "b.jpg"]
    assert request.options.boxes is None
    assert [warning.split(":")[0] for warning in request.warnings] == ["-fdir", "-bboxdir"]
    request = request_of("-fdir d -fdir e -bboxdir boxes -inroot r", IMG)
    assert [source.path for source in request.inputs] == ["r/d"]
    assert request.options.boxes == "r/boxes"


@pytest.mark.parametrize("program", Program)
def test_without_an_input_nothing_is_done(program):
    with pytest.raises(OptionError, match="expected an input: -f FILE or -fdir DIR"):
        request_of("-aus -q", program)


def test_intrinsics_come_in_pairs():
    options = request_of("-f a -fx 500 -fy 510 -cx 320 -cy 250").options
    assert (options.focal_px, options.centre_px) == ((500.0, 510.0), (320.0, 250.0))
    request = request_of("-f a -fy 500 -cy 3")
    assert (request.options.focal_px, request.options.centre_px) == (None, None)
    assert [warning.split(" without")[0] for warning in request.warnings] == [
        "-fy: no effect",
        "-cy: no effect",
    ]


@pytest.mark.parametrize("line", ["-fx 500", "-cx 5"])
def test_half_a_pair_that_openface_would_complete_with_minus_one_is_refused_for_videos(line):
    with pytest.raises(OptionError, match="OpenFace would take -1"):
        request_of(f"-f a {line}")
    assert request_of(f"-f a {line}", IMG).options.focal_px is None


def test_aligned_faces_follow_their_flags():
    aligned = request_of("-f a -simsize 224 -nomask -g -format_aligned png").outputs.aligned
    assert (aligned.size, aligned.px_per_mm, aligned.mask, aligned.gray) == (224, 1.4, False, True)
    assert aligned.picture_format == "png"
    assert request_of("-f a -simsize 224 -simscale 0.9").outputs.aligned.px_per_mm == 0.9
    assert not request_of("-f a -g", IMG).outputs.aligned.gray


def fitting_of(line, program=IMG):
    options = request_of(f"-f a {line}", program).options
    return {**options.fitting, "wild": options.wild, "multi_view": options.multi_view}


def test_parameters_of_the_fit_are_passed_on():
    assert fitting_of("-sigma 1.7 -reg 30 -w_reg 2 -n_iter 7 -multi_view 1") == {
        "sigma": 1.7,
        "regularisation": 30.0,
        "weight_factor": 2.0,
        "iterations": 7,
        "wild": False,
        "multi_view": True,
    }
    assert not request_of("-f a -validate_detections 0").options.validate


def test_wild_overrides_what_stands_before_it_only():
    assert fitting_of("-sigma 3 -multi_view 0 -wild") == {"wild": True, "multi_view": True}
    assert fitting_of("-wild -sigma 3 -multi_view 0") == {"sigma": 3.0, "wild": True, "multi_view": False}
    assert fitting_of("-sigma 3 -wild -reg 20 -wild") == {"wild": True, "multi_view": True}


def test_impossible_values_are_refused():
    for line in ("-sigma 0", "-reg -1", "-n_iter 0", "-simsize 0", "-simscale -1", "-format_aligned tga"):
        with pytest.raises(OptionError):
            request_of(f"-f a {line}")
    with pytest.raises(OptionError, match="-of: expected the name of a file"):
        request_of("-f a -of results/")


def test_static_models_and_quietness():
    request = request_of("-f a -au_static -q -mloc model/main_clnf_general.txt")
    assert request.options.action_units == "static"
    assert request.quiet
    assert request.landmarks == "model/main_clnf_general.txt"


def place_of(line, position=0):
    request = request_of(line)
    outputs = request.outputs_of(position, request.inputs[position])
    return outputs.folder / outputs.base


def test_places_follow_the_inputs_name():
    assert place_of("-f in/clip.v1.avi") == Path("processed/clip.v1")


def test_a_folder_gives_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "frames.d").mkdir()
    monkeypatch.chdir(tmp_path / "frames.d")
    assert Input(Source.FOLDER, ".").base == "frames.d"


def test_the_kth_name_is_for_the_kth_input():
    line = "-f clip.avi -f clip.avi -f clip.avi -out_dir out -of sub/first.csv -of second"
    assert place_of(line, 0) == Path("out/sub/first")
    assert place_of(line, 1) == Path("out/second")
    assert place_of(line, 2) == Path("out/clip")


def test_a_camera_is_named_after_the_time():
    assert datetime.strptime(Input(Source.CAMERA, "0").base, "webcam_%Y-%m-%d-%H-%M").year >= 2024
