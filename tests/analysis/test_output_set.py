"""All files of an analysis behind one object."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest
from scipy.spatial import Delaunay

from helpers_outputs import read_aligned_folder, read_bmp, read_hog_records
from mien.analysis.output_set import OutputSet
from mien.analysis.outputs import OutputOptions
from mien.appearance.alignment import FaceAligner
from mien.appearance.extractor import AppearanceExtractor
from mien.datatypes import Frame
from mien.errors import OptionError, OutputError
from mien.results import AlignedOptions, Form, ResultBuilder
from mien.video.file import VideoFile
from mien.video.source import frame_of
from mien.view.drawing import DrawingOptions
from synthetic_drawing import CAMERA, drawn_face
from synthetic_face import Pose, face_pdm, picture

PDM = face_pdm()
TRIANGLES = Delaunay(PDM.mean[:, :2]).simplices.astype(np.int32)
EXTRACTOR = AppearanceExtractor(PDM, TRIANGLES)


def frame_at(index):
    bgr = np.ascontiguousarray(picture(Pose(1.4, (0.1, -0.3, 0.05), 320, 240)))
    return Frame(index, index / 25, bgr, bgr[:, :, 0].copy())


def rows(count=4, failed=(2,)):
    """Frame, face and appearance of each frame of a video."""
    for index in range(count):
        frame = frame_at(index)
        face = drawn_face(frame=index, time_s=index / 25, success=index not in failed)
        good = face.landmarks.valid
        yield frame, face, EXTRACTOR.extract(frame, face.landmarks) if good else EXTRACTOR.failed()


def everything(folder, **changes):
    return OutputOptions(
        folder=folder,
        base="clip",
        tables=(".csv", ".jsonl"),
        hog=True,
        aligned=AlignedOptions(),
        drawing=DrawingOptions(style="openface"),
        details=True,
        source="/videos/clip.mp4",
        **changes,
    )


def fill(outputs, failed=(2,)):
    builder = ResultBuilder(provenance={"mien": "test"})
    for frame, face, appearance in rows(failed=failed):
        outputs.add(frame, [face], [appearance])
        builder.append(face)
    return builder.finish()


@pytest.mark.parametrize("threaded", [False, True])
def test_everything_that_was_asked_for_is_written(tmp_path, threaded):
    options = everything(tmp_path / "out")
    with OutputSet(options, CAMERA, fps=25, threaded=threaded) as outputs:
        result = fill(outputs)
        assert all(name.startswith(".mien-") for name in os.listdir(tmp_path / "out"))
        written = outputs.close(result)
    names = ["clip.avi", "clip.csv", "clip.hog", "clip.jsonl", "clip_aligned", "clip_of_details.txt"]
    assert sorted(path.name for path in written) == names
    assert sorted(path.name for path in options.paths()) == names
    assert sorted(os.listdir(tmp_path / "out")) == sorted([*names, "clip.provenance.json"])
    flags = [flag for flag, _ in read_hog_records(tmp_path / "out" / "clip.hog")]
    assert flags == [1, 1, -1, 1]
    aligned = read_aligned_folder(tmp_path / "out" / "clip_aligned")
    assert list(aligned) == [f"frame_det_00_{n:06d}.bmp" for n in (1, 2, 3, 4)]
    assert [bool(image.any()) for image in aligned.values()] == [True, True, False, True]
    with VideoFile(tmp_path / "out" / "clip.avi") as video:
        assert len(list(video)) == 4
        assert video.info.fps == pytest.approx(25)
    assert len((tmp_path / "out" / "clip.csv").read_text().splitlines()) == 5
    details = (tmp_path / "out" / "clip_of_details.txt").read_text().splitlines()
    assert details[3:7] == [
        "Output HOG:clip.hog",
        "Output video:clip.avi",
        "Output aligned directory:clip_aligned",
        "Output csv:clip.csv",
    ]


def test_descriptors_and_faces_are_those_of_the_analysis(tmp_path):
    with OutputSet(everything(tmp_path), CAMERA) as outputs:
        outputs.close(fill(outputs))
    expected = [appearance for _, _, appearance in rows()]
    for (_, cells), appearance in zip(read_hog_records(tmp_path / "clip.hog"), expected, strict=True):
        np.testing.assert_array_equal(cells.ravel(), appearance.fhog)
    aligned = read_aligned_folder(tmp_path / "clip_aligned").values()
    for image, appearance in zip(aligned, expected, strict=True):
        np.testing.assert_array_equal(image, appearance.aligned.bgr)


def test_faces_of_another_size_are_aligned_anew(tmp_path):
    wanted = AlignedOptions(size=160, mask=False)
    aligner = FaceAligner(PDM, TRIANGLES, wanted.size, wanted.px_per_mm, wanted.mask)
    options = OutputOptions(folder=tmp_path, base="clip", aligned=wanted)
    with OutputSet(options, CAMERA, aligner=aligner) as outputs:
        fill(outputs)
    frame, face, appearance = next(iter(rows()))
    expected = aligner.align(frame.bgr, face.landmarks.points, *appearance.global_params[4:6].tolist()).bgr
    images = list(read_aligned_folder(tmp_path / "clip_aligned").values())
    np.testing.assert_array_equal(images[0], expected)
    assert images[2].shape == (160, 160, 3)
    assert not images[2].any()


def test_another_size_needs_an_aligner(tmp_path):
    options = OutputOptions(folder=tmp_path, base="clip", aligned=AlignedOptions(size=160))
    with pytest.raises(OptionError, match="aligner"):
        OutputSet(options, CAMERA)


def test_grey_faces_without_those_of_failed_frames(tmp_path):
    wanted = AlignedOptions(gray=True, keep_failed=False)
    with OutputSet(OutputOptions(folder=tmp_path, base="clip", aligned=wanted), CAMERA) as outputs:
        fill(outputs)
    aligned = read_aligned_folder(tmp_path / "clip_aligned")
    assert list(aligned) == [f"frame_det_00_{n:06d}.bmp" for n in (1, 2, 4)]
    colours = next(iter(rows()))[2].aligned
    np.testing.assert_array_equal(aligned["frame_det_00_000001.bmp"], frame_of(colours.bgr).gray)


@pytest.mark.parametrize(("good_by", "flag"), [("success", 1), ("valid", -1)])
def test_what_makes_a_record_good_can_be_chosen(tmp_path, good_by, flag):
    # first detection in a video: the tracker reports success though the validator refused
    face = drawn_face()
    face = dataclasses.replace(face, landmarks=dataclasses.replace(face.landmarks, valid=False))
    options = OutputOptions(
        folder=tmp_path, base="clip", hog=True, aligned=AlignedOptions(keep_failed=False), good_by=good_by
    )
    with OutputSet(options, CAMERA) as outputs:
        outputs.add(frame_at(0), [face], [EXTRACTOR.failed()])
    records = read_hog_records(tmp_path / "clip.hog")
    assert records[0][0] == flag
    assert not records[0][1].any()
    assert len(read_aligned_folder(tmp_path / "clip_aligned")) == (flag == 1)


def test_several_faces_of_a_frame_and_frames_without_any(tmp_path):
    options = dataclasses.replace(everything(tmp_path), good_by="valid")
    faces = [drawn_face(frame=1, face_id=i, x=150 + 150 * i) for i in range(3)]
    appearances = [EXTRACTOR.extract(frame_at(1), face.landmarks) for face in faces]
    with OutputSet(options, CAMERA, fps=25) as outputs:
        outputs.add(frame_at(0), [])
        outputs.add(frame_at(1), faces, appearances)
    assert len(read_hog_records(tmp_path / "clip.hog")) == 3
    names = [f"frame_det_{i:02d}_000002.bmp" for i in range(3)]
    assert list(read_aligned_folder(tmp_path / "clip_aligned")) == names
    with VideoFile(tmp_path / "clip.avi") as video:
        assert len(list(video)) == 2


def image_options(folder, **changes):
    return OutputOptions(
        folder=folder,
        base="photo",
        form=Form.IMAGE,
        hog=True,
        aligned=AlignedOptions(),
        drawing=DrawingOptions(style="openface"),
        details=True,
        provenance=False,
        source="/photo.png",
        good_by="valid",
        **changes,
    )


def test_a_single_image(tmp_path):
    faces = [drawn_face(face_id=i, x=150 + 300 * i) for i in range(2)]
    appearances = [EXTRACTOR.extract(frame_at(0), face.landmarks) for face in faces]
    builder = ResultBuilder(provenance={"mien": "test"})
    with OutputSet(image_options(tmp_path), CAMERA) as outputs:
        outputs.add(frame_at(0), faces, appearances)
        for face in faces:
            builder.append(face)
        outputs.close(builder.finish())
    names = ["photo.csv", "photo.hog", "photo.jpg", "photo_aligned", "photo_of_details.txt"]
    assert sorted(os.listdir(tmp_path)) == names
    assert sorted(os.listdir(tmp_path / "photo_aligned")) == ["face_det_000000.bmp", "face_det_000001.bmp"]
    header, *lines = (tmp_path / "photo.csv").read_text().splitlines()
    assert header.startswith("face,confidence,gaze_0_x")
    assert len(lines) == 2
    assert "Output image:photo.jpg\n" in (tmp_path / "photo_of_details.txt").read_text()


def test_a_single_image_without_a_face_leaves_no_table(tmp_path):
    with OutputSet(image_options(tmp_path), CAMERA) as outputs:
        outputs.add(frame_at(0), [])
        outputs.close(ResultBuilder().finish())
    assert sorted(os.listdir(tmp_path)) == ["photo.hog", "photo.jpg", "photo_aligned", "photo_of_details.txt"]
    assert (tmp_path / "photo.hog").read_bytes() == b""
    assert "csv" not in (tmp_path / "photo_of_details.txt").read_text()


def test_an_analysis_that_ended_early_is_kept_under_other_names(tmp_path):
    (tmp_path / "clip.hog").write_bytes(b"complete")
    outputs = OutputSet(everything(tmp_path), CAMERA, fps=25)
    outputs.close(fill(outputs), partial=True)
    assert (tmp_path / "clip.hog").read_bytes() == b"complete"
    assert sorted(os.listdir(tmp_path)) == [
        "clip.hog",
        "clip.partial.avi",
        "clip.partial.csv",
        "clip.partial.hog",
        "clip.partial.jsonl",
        "clip.partial.provenance.json",
        "clip.partial_aligned",
        "clip.partial_of_details.txt",
    ]
    assert "Output HOG:clip.partial.hog\n" in (tmp_path / "clip.partial_of_details.txt").read_text()


@pytest.mark.parametrize("threaded", [False, True])
def test_an_error_leaves_nothing(tmp_path, threaded):
    def fail():
        with OutputSet(everything(tmp_path), CAMERA, fps=25, threaded=threaded) as outputs:
            fill(outputs)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("threaded", [False, True])
def test_errors_of_writing_are_raised_and_leave_nothing(tmp_path, threaded):
    outputs = OutputSet(everything(tmp_path / "out"), CAMERA, fps=25, threaded=threaded)
    os.rename(tmp_path / "out", tmp_path / "moved")

    def go_on():
        for frame, face, appearance in rows():
            outputs.add(frame, [face], [appearance])
        outputs.close()

    with pytest.raises(OutputError):
        go_on()
    outputs.abort()
    assert not (tmp_path / "out").exists()


def test_the_input_is_never_replaced(tmp_path):
    (tmp_path / "clip.avi").write_bytes(b"video")
    with pytest.raises(OutputError, match="input itself"):
        OutputSet(everything(tmp_path), CAMERA, source=tmp_path / "clip.avi")
    assert os.listdir(tmp_path) == ["clip.avi"]


def test_a_place_that_is_taken_is_found_before_any_work(tmp_path):
    (tmp_path / "clip_aligned").touch()
    with pytest.raises(OutputError, match="clip_aligned"):
        OutputSet(everything(tmp_path), CAMERA)
    assert os.listdir(tmp_path) == ["clip_aligned"]


def test_an_appearance_is_needed_for_every_face(tmp_path):
    outputs = OutputSet(everything(tmp_path), CAMERA)
    with pytest.raises(ValueError, match="appearance"):
        outputs.add(frame_at(0), [drawn_face()])
    outputs.abort()


def test_tables_have_the_groups_that_were_asked_for(tmp_path):
    options = dataclasses.replace(everything(tmp_path), groups=("pose",))
    with OutputSet(options, CAMERA, fps=25) as outputs:
        outputs.close(fill(outputs))
    header = (tmp_path / "clip.csv").read_text().splitlines()[0]
    assert (
        header == "frame,face_id,timestamp,confidence,success,pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,pose_Rz"
    )
    lines = (tmp_path / "clip.jsonl").read_text().splitlines()
    assert "landmarks" not in json.loads(lines[1])
    assert (tmp_path / "clip_of_details.txt").read_text().count(": 1") == 1


def test_the_style_decides_name_and_format():
    def name(form=Form.SEQUENCE, **options):
        drawing = DrawingOptions(**options)
        return OutputOptions(folder=None, base="a", form=form, drawing=drawing).drawing_name

    assert name() == "a.tracked.mp4"
    assert name(style="openface") == "a.avi"
    assert name(file_format=".MKV") == "a.tracked.mkv"
    assert name(Form.IMAGE) == "a.tracked.jpg"
    assert name(Form.IMAGE, style="openface", file_format="png") == "a.png"


def test_pictures_in_the_style_of_mien_have_a_panel(tmp_path):
    options = OutputOptions(folder=tmp_path, base="a", drawing=DrawingOptions(file_format="mkv"))
    with OutputSet(options, CAMERA, fps=25) as outputs:
        fill(outputs)
    with VideoFile(tmp_path / "a.tracked.mkv") as video:
        assert video.info.width > 640


def test_bmp_reader_of_the_tests_refuses_other_files(tmp_path):
    (tmp_path / "t.bmp").write_bytes(b"PNG" + bytes(60))
    with pytest.raises(AssertionError):
        read_bmp(tmp_path / "t.bmp")
