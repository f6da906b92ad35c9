"""OpenFace's programs through the installed command: every flag, and the original's files in its places."""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from cli_process import environment, executable
from PIL import Image
from typer.testing import CliRunner

from helpers_outputs import read_aligned_folder, read_hog_records
from mien.cli.main import app
from mien.dropin.flags import FLAGS, Program, Support
from mien.video.file import VideoFile
from mien.video.images import ImageSequence
from synthetic_faces import landmarks_of, picture_of, poses
from synthetic_video import write_video

FRAMES = 5
PLACES = [poses((4 * np.sin(i), 0), (0, 3 * np.cos(i))) for i in range(FRAMES)]
FE, IMG, MULTI = Program
CLNF = ("-mloc", "model/main_clnf_general.txt")


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Videos of one face, two and none; the same as pictures; box files."""
    folder = tmp_path_factory.mktemp("media")
    for name, shown in (("one", [0]), ("two", [0, 1]), ("nobody", [])):
        pictures = [
            picture_of([place if k in shown else None for k, place in enumerate(places)], seed=i)
            for i, places in enumerate(PLACES)
        ]
        write_video(folder / f"{name}.mp4", pictures)
        (folder / f"{name}.frames").mkdir()
        for i, picture in enumerate(pictures):
            Image.fromarray(picture[..., ::-1]).save(folder / f"{name}.frames" / f"{i + 1:03}.png")
        Image.fromarray(pictures[0][..., ::-1]).save(folder / f"{name}.jpg", quality=95)
    (folder / "boxes").mkdir()
    for i, places in enumerate(PLACES):
        points = landmarks_of(places[1], 1)
        (folder / "boxes" / f"{i + 1:03}.txt").write_text(
            "{} {} {} {}\n".format(*points.min(0), *points.max(0))
        )
    return folder


def words_of(line, media):
    """Words of a program's line, in which `MEDIA` stands for the folder with inputs."""
    words = shlex.split(line.replace("MEDIA", str(media)))
    return words if "-mloc" in words else [*CLNF, *words]


@pytest.fixture
def run(models_folder, media, tmp_path, monkeypatch):
    """Run a program in this process and an empty folder."""
    monkeypatch.setenv("MIEN_MODELS", str(models_folder))
    monkeypatch.chdir(tmp_path)

    def run(program, line, code=0):
        done = CliRunner().invoke(app, [program, *words_of(line, media)])
        assert done.exit_code == code, done.output
        return done

    return run


def names_in(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "aligned" not in str(path)
    )


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def details(path):
    return dict(line.split(":", 1) for line in path.read_text().splitlines())


def test_without_a_selection_a_video_gives_every_file(run, media, tmp_path):
    run(FE, "-f MEDIA/one.mp4")
    out = tmp_path / "processed"
    assert names_in(out) == ["one.avi", "one.csv", "one.hog", "one_of_details.txt"]
    rows = table(out / "one.csv")
    assert len(rows[0]) == 714
    assert [row["frame"] for row in rows] == [str(i + 1) for i in range(FRAMES)]
    assert {row["AU01_c"] for row in rows} <= {"0.00", "1.00"}
    assert [flag for flag, _ in read_hog_records(out / "one.hog")] == [1.0] * FRAMES
    aligned = read_aligned_folder(out / "one_aligned")
    assert list(aligned) == [f"frame_det_00_{i + 1:06}.bmp" for i in range(FRAMES)]
    assert {image.shape for image in aligned.values()} == {(112, 112, 3)}
    with VideoFile(out / "one.avi") as drawn:
        assert len(list(drawn)) == FRAMES
    said = details(out / "one_of_details.txt")
    assert said["Input"] == said["Input full path"] == str(media / "one.mp4")
    assert (said["Output HOG"], said["Output video"], said["Output csv"]) == ("one.hog", "one.avi", "one.csv")
    assert said["Gaze"] == said["Shape parameters"] == " 1"
    assert names_in(tmp_path) == [f"processed/{name}" for name in names_in(out)]


def test_a_selection_gives_its_columns_only(run, tmp_path):
    run(FE, "-q -f MEDIA/one.mp4 -pose -out_dir a/b")
    assert names_in(tmp_path) == ["a/b/one.csv", "a/b/one_of_details.txt"]
    assert list(table(tmp_path / "a/b/one.csv")[0]) == [
        *("frame", "face_id", "timestamp", "confidence", "success"),
        *("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"),
    ]
    assert details(tmp_path / "a/b/one_of_details.txt")["Gaze"] == " 0"


@pytest.mark.parametrize(
    ("program", "source", "first"),
    [(FE, "one.mp4", "frame, face_id, timestamp"), (IMG, "one.jpg", "face, confidence, pose_Tx")],
)
def test_tables_can_have_the_blanks_of_windows_builds(run, tmp_path, program, source, first):
    run(program, f"-f MEDIA/{source} -pose -out_dir plain")
    run(program, f"-f MEDIA/{source} -pose -out_dir blank --csv-style openface-blank")
    plain, blank = ((tmp_path / folder / "one.csv").read_text() for folder in ("plain", "blank"))
    assert blank.startswith(first)
    assert blank == plain.replace(",", ", ")


def test_an_unknown_layout_is_refused(run, tmp_path):
    done = run(FE, "-f MEDIA/one.mp4 --csv-style excel", code=2)
    assert "expected openface-2.2 or openface-blank, got 'excel'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_descriptors_alone_come_with_a_table_of_the_first_columns(run, tmp_path):
    run(FE, "-f MEDIA/one.mp4 -hogalign")
    assert names_in(tmp_path / "processed") == ["one.csv", "one.hog", "one_of_details.txt"]
    assert len(table(tmp_path / "processed/one.csv")[0]) == 5


def test_several_inputs_go_to_their_own_places(run, tmp_path):
    run(FE, "-inroot MEDIA -fdir one.frames -f two.mp4 -of sub/first.csv -pose -tracked")
    assert names_in(tmp_path / "processed") == [
        *("sub/first.avi", "sub/first.csv", "sub/first_of_details.txt"),
        *("two.avi", "two.csv", "two_of_details.txt"),
    ]
    times = {row["timestamp"] for row in table(tmp_path / "processed/sub/first.csv")}
    assert times == {"0.000"}


def test_inputs_after_one_that_can_not_be_opened_are_named_and_left(run, tmp_path):
    done = run(FE, "-f MEDIA/one.mp4 -f missing.avi -f MEDIA/two.mp4 -pose", code=1)
    assert "missing.avi: no such file" in done.stderr
    assert "not attempted, as in OpenFace" in done.stderr
    assert names_in(tmp_path / "processed") == ["one.csv", "one_of_details.txt"]


def test_pictures_get_files_of_their_own(run, tmp_path):
    run(IMG, "-f MEDIA/two.jpg -f MEDIA/nobody.jpg -of pair.txt -out_dir out")
    assert names_in(tmp_path / "out") == [
        *("nobody.hog", "nobody.jpg", "nobody_of_details.txt"),
        *("pair.csv", "pair.hog", "pair.jpg", "pair_of_details.txt"),
    ]
    rows = table(tmp_path / "out/pair.csv")
    assert len(rows[0]) == 711
    assert [row["face"] for row in rows] == ["0", "1"]
    assert {row["AU01_c"] for row in rows} <= {"0.0", "1.0"}
    assert list(read_aligned_folder(tmp_path / "out/pair_aligned")) == [
        "face_det_000000.bmp",
        "face_det_000001.bmp",
    ]
    assert len(read_hog_records(tmp_path / "out/pair.hog")) == 2
    assert (tmp_path / "out/nobody.hog").read_bytes() == b""
    assert "Output csv" not in details(tmp_path / "out/nobody_of_details.txt")
    assert details(tmp_path / "out/pair_of_details.txt")["Output image"] == "pair.jpg"
    with Image.open(tmp_path / "out/pair.jpg") as drawn:
        assert drawn.size == (480, 240)


def test_box_files_take_the_place_of_detection(run, media, tmp_path):
    run(IMG, "-inroot MEDIA -fdir two.frames -bboxdir boxes -2Dfp -q")
    for i, places in enumerate(PLACES):
        (row,) = table(tmp_path / f"processed/{i + 1:03}.csv")
        found = np.array([[float(row[f"{axis}_{k}"]) for axis in "xy"] for k in range(68)])
        assert np.abs(found - landmarks_of(places[1], 1)).max() < 3
    (media / "boxes/003.txt").rename(media / "003.txt")
    try:
        done = run(IMG, "-inroot MEDIA -fdir two.frames -bboxdir boxes -2Dfp", code=1)
    finally:
        (media / "003.txt").rename(media / "boxes/003.txt")
    assert "003.txt" in done.stderr


def test_several_faces_share_the_files(run, tmp_path):
    run(MULTI, "-f MEDIA/two.mp4 -out_dir out")
    assert names_in(tmp_path / "out") == ["two.avi", "two.csv", "two.hog", "two_of_details.txt"]
    keys = [(row["frame"], row["face_id"]) for row in table(tmp_path / "out/two.csv")]
    assert keys == [(str(i + 1), face) for i in range(FRAMES) for face in "01"]
    aligned = read_aligned_folder(tmp_path / "out/two_aligned")
    assert sorted(aligned) == sorted(f"frame_det_{int(f):02}_{int(i):06}.bmp" for i, f in keys)
    assert len(read_hog_records(tmp_path / "out/two.hog")) == len(keys)


def test_nobody_in_a_video_of_several_faces_gives_no_table(run, tmp_path):
    done = run(MULTI, "-f MEDIA/nobody.mp4")
    assert "No table was written" in done.stdout
    assert names_in(tmp_path / "processed") == ["nobody.avi", "nobody.hog", "nobody_of_details.txt"]
    assert "Output csv" not in details(tmp_path / "processed/nobody_of_details.txt")


VALUES = {
    "-root": "elsewhere",
    "-inroot": "MEDIA",
    "-out_dir": "all",
    "--csv-style": "openface-2.2",
    "-of": "base.csv",
    "-cam_width": "640",
    "-cam_height": "480",
    "-format_aligned": "png",
    "-format_vis_image": "png",
    "-simscale": "1.2",
    "-simsize": "150",
    "-mloc": "model/main_clnf_general.txt",
    "-fx": "450",
    "-fy": "460",
    "-cx": "239",
    "-cy": "121",
    "-sigma": "1.6",
    "-reg": "24",
    "-w_reg": "0.5",
    "-multi_view": "1",
    "-validate_detections": "1",
    "-n_iter": "6",
    "-bboxdir": "boxes",
    "-fdloc": "haar.xml",
}
"""What a script says that passes every flag but the input's."""
NOT_TOGETHER = {"-f", "-fdir", "-device"}


def every_flag(source):
    """All documented flags in one line; -fdloc goes before -wild, which overrides it."""
    words = [source]
    for flag in sorted(FLAGS, key=lambda flag: (flag.name == "-wild", flag.name)):
        if flag.name not in NOT_TOGETHER:
            words += [flag.name] if not flag.value else [flag.name, VALUES[flag.name]]
    words.remove("-root")
    words.remove("elsewhere")
    return " ".join(["-root elsewhere", *words])


@pytest.mark.parametrize(
    ("program", "source"), [(FE, "-f one.mp4"), (IMG, "-fdir two.frames"), (MULTI, "-fdir one.frames")]
)
def test_a_script_that_passes_every_flag_is_told_what_has_no_effect(mien, media, tmp_path, program, source):
    done = mien(program, *words_of(every_flag(source), media))
    assert done.returncode == 0, done.stderr
    for flag in FLAGS:
        if flag.name not in NOT_TOGETHER and flag.support(program) not in (Support.HONOURED, Support.REFUSED):
            assert f"{program}: warning: {flag.name}: " in done.stderr
    if program is IMG:
        pictures = [name for i in range(2, FRAMES + 1) for name in files_of(f"{i:03}", "png")]
        assert names_in(tmp_path / "all") == [*pictures, *files_of("base", "png")]
    else:
        assert names_in(tmp_path / "all") == files_of("base", "avi")
    assert details(tmp_path / "all/base_of_details.txt")["Camera parameters"] == "450,460,239,121"
    first = sorted((tmp_path / "all/base_aligned").iterdir())[0]
    with Image.open(first) as image:
        assert (first.suffix, image.size) == (".png", (150, 150))
        assert image.mode == ("L" if program is FE else "RGB")
    row = table(tmp_path / "all/base.csv")[0]
    found = np.array([[float(row[f"{axis}_{k}"]) for axis in "xy"] for k in range(68)])
    column = 1 if program is IMG else 0
    assert np.abs(found - landmarks_of(PLACES[0][column], column)).max() < 4


def files_of(base, drawn):
    return sorted(f"{base}{ending}" for ending in (".csv", ".hog", f".{drawn}", "_of_details.txt"))


def test_a_flag_that_can_not_be_honoured_ends_it_before_anything_is_written(run, tmp_path):
    done = run(FE, "-f MEDIA/one.mp4 -fdloc haar.xml", code=2)
    assert "-fdloc: mien detects faces by MTCNN" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_interrupted_video_leaves_partial_files_a_camera_complete_ones(run, media, tmp_path, monkeypatch):
    import mien.cli.openface_run as module

    class StopsAfterTwo(module.Console):
        @contextmanager
        def step(self, name, total, pack=None):
            done = 0

            def advance(frames):
                nonlocal done
                done += frames
                if done >= 2:
                    self.stopped.set()

            yield advance

    monkeypatch.setattr(module, "Console", StopsAfterTwo)
    run(FE, "-f MEDIA/one.mp4 -pose -hogalign", code=130)
    assert names_in(tmp_path / "processed") == [
        *("one.partial.csv", "one.partial.hog", "one.partial_of_details.txt"),
    ]
    camera = FakeCamera(media / "one.frames", fps=30)
    monkeypatch.setattr(module, "_open_camera", lambda request, source: camera)
    run(FE, "-device 0 -pose -out_dir live")
    (path,) = (tmp_path / "live").glob("webcam_*.csv")
    assert 2 <= len(table(path)) < FRAMES


def test_an_unknown_landmark_model_is_named(run):
    assert "-mloc nothing.txt: no such file" in run(FE, "-f MEDIA/one.mp4 -mloc nothing.txt", code=2).stderr


def test_outputs_never_replace_their_input(run, media):
    before = (media / "one.jpg").read_bytes()
    assert "is the input itself" in run(IMG, "-f MEDIA/one.jpg -out_dir MEDIA", code=1).stderr
    assert (media / "one.jpg").read_bytes() == before


def test_names_that_meet_and_names_too_many_are_told_of(run):
    done = run(IMG, "-f MEDIA/one.frames/001.png -f MEDIA/two.frames/001.png -pose")
    assert "are all written to processed/001, where the last one remains" in done.stderr
    done = run(IMG, "-f MEDIA/one.jpg -pose -of a -of b -of c")
    assert "-of b c: no effect, there are no more than 1 inputs" in done.stderr


@pytest.mark.parametrize("program", Program)
def test_the_programs_are_listed_and_explained(program):
    assert program in CliRunner().invoke(app, ["--help"]).stdout
    for words, code in ((["-h"], 0), (["-help"], 0), (["-f", "x", "--help"], 0), ([], 2)):
        done = CliRunner().invoke(app, [program, *words])
        assert done.exit_code == code
        assert "-nobadaligned" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("program", [FE, IMG])
def test_a_link_with_a_programs_name_is_that_program(models_folder, media, tmp_path, program):
    link = tmp_path / "bin" / program
    link.parent.mkdir()
    link.symlink_to(executable())
    source = "one.jpg" if program is IMG else "one.mp4"
    # as old scripts do: from another folder, through the shell
    done = subprocess.run(
        shlex.join([str(link), "-f", str(media / source), "-pose", *CLNF]),
        shell=True,
        env=environment(models_folder),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "processed") == ["one.csv", "one_of_details.txt"]


class FakeCamera(ImageSequence):
    """Pictures that pretend to come from a camera."""

    opened: tuple[int, tuple[int, int]]

    @property
    def info(self):
        return replace(super().info, path=None, name="camera", camera=True, frame_count=None)


def test_a_camera_is_analysed_like_a_video(models_folder, media, tmp_path, monkeypatch):
    import mien.video.camera as module
    from mien.cli.openface_run import run_request
    from mien.dropin.request import read_request

    asked = []

    def open_camera(number, size):
        asked.append((number, size))
        return FakeCamera(media / "one.frames", fps=30)

    monkeypatch.setattr(module, "open_camera", open_camera)
    monkeypatch.setenv("MIEN_MODELS", os.fspath(models_folder))
    monkeypatch.chdir(tmp_path)
    request = read_request(FE, ["-device", "1", "-cam_width", "320", "-cam_height", "240", "-q", *CLNF])
    assert run_request(request) == 0
    assert asked == [(1, (320, 240))]
    (path,) = (tmp_path / "processed").glob("webcam_????-??-??-??-??.csv")
    rows = table(path)
    assert [row["timestamp"] for row in rows] == ["0.000", "0.033", "0.067", "0.100", "0.133"]
    said = (tmp_path / "processed" / f"{path.stem}_of_details.txt").read_text()
    assert said.startswith("Input:webcam\nCamera parameters:")


def test_a_landmark_model_other_than_the_originals_default_is_told_of(run, monkeypatch):
    import mien.dropin.input_jobs as module

    class WithoutCeClm(module.ModelStore):
        def locate(self, landmarks=None):
            return super().locate(landmarks or "clnf")

    monkeypatch.setattr(module, "ModelStore", WithoutCeClm)
    monkeypatch.setattr(module, "landmark_model", lambda location: None)
    done = run(FE, "-f missing.avi", code=1)
    assert "-mloc: OpenFace's default landmark model, CE-CLM, is not installed; clnf is used" in done.stderr
