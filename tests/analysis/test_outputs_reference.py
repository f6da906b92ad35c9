"""Files equal to those of the original program."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers_outputs import read_aligned_folder, read_hog_records
from mien.analysis.output_set import OutputSet
from mien.analysis.outputs import OutputOptions
from mien.appearance.alignment import FaceAligner
from mien.appearance.extractor import AppearanceExtractor
from mien.appearance.fhog import FhogExtractor
from mien.datatypes import FaceLandmarks, FaceResult, Frame, HeadPose
from mien.geometry.pinhole import default_camera
from mien.models.readers.action_units import read_action_units
from mien.results import AlignedOptions, Details, HogWriter, read_hog

pytestmark = pytest.mark.models

SIZES = {
    "sample1": (640, 400),
    "sample2": (640, 400),
    "sample3": (640, 400),
    "24795717_1": (1024, 677),
    "image_sequence": (640, 480),
    "multi_face": (640, 480),
    "subj01_timepoint01": (1080, 720),
    "clip2": (1280, 720),
    "2015-10-15-15-14": (640, 480),
    "default": (640, 480),
    "0417_02_003_bill_clinton": (320, 240),
}


@pytest.fixture(scope="module")
def record(openface_dir):
    return read_action_units(openface_dir / "FaceAnalyser/AU_predictors/main_static_svms.txt")


# --- descriptors and faces that the original wrote ---


def outputs_of(reference_dir):
    """.hog file and aligned faces of every run that has both."""
    for folder in sorted((reference_dir / "images").iterdir()):
        yield folder / f"{folder.name}.hog", folder / "aligned", "face_det_{:06d}.bmp", 0
    folder = reference_dir / "variants" / "image_sequence"
    name = "frame_det_00_{:06d}.bmp"
    yield folder / "image_sequence.hog", folder / "image_sequence_aligned", name, 1


def test_both_readers_understand_the_originals_descriptors(reference_dir):
    for path, _, _, _ in outputs_of(reference_dir):
        expected, records = read_hog_records(path), read_hog(path)
        assert len(records) == len(expected)
        for row, (flag, cells) in enumerate(expected):
            assert records.good[row] == (flag == 1)
            np.testing.assert_array_equal(records.descriptors[row], cells)


def test_descriptors_of_the_originals_faces_are_those_of_its_file(reference_dir, tmp_path):
    count, fhog = 0, FhogExtractor()
    for path, folder, name, first in outputs_of(reference_dir):
        faces = read_aligned_folder(folder)
        assert list(faces) == [name.format(first + i) for i in range(len(faces))]
        with HogWriter(tmp_path / path.name) as writer:
            for image in faces.values():
                writer.append(fhog.describe(image), True)
        for ours, theirs in zip(read_hog_records(tmp_path / path.name), read_hog_records(path), strict=True):
            assert ours[0] == theirs[0]
            np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-6)
            count += 1
    assert count == 36


# --- the original's landmarks in, its files out ---


def injected(reference_dir, kind):
    """Frame, landmarks and everything dumped, of each dumped frame."""
    for folder in sorted((reference_dir / "stages").glob("*/frame_*")):
        with np.load(folder / f"{kind}.npz") as archive:
            dump = {name: archive[name] for name in archive.files if name.startswith(("au_", "landmarks"))}
        bgr = cv2.imread(str(folder / "frame.png"))
        points = np.ascontiguousarray(dump["landmarks"].reshape(2, 68).T, np.float32)
        yield Frame(int(folder.name[-6:]) - 1, 0.0, bgr, bgr[:, :, 0].copy()), points, dump


def face_at(frame, points):
    blank = np.zeros((68, 3), np.float32)
    landmarks = FaceLandmarks(
        points, blank, np.zeros(6, np.float32), np.zeros(34, np.float32), (), 1.0, True, True
    )
    pose = HeadPose(np.zeros(3), np.zeros(3))
    return FaceResult(frame.index, frame.time_s, 0, landmarks, blank, pose, None, None)


def write_all(reference_dir, kind, record, folder, aligned):
    """Write all dumped frames; the dumps."""
    extractor, dumps = AppearanceExtractor(record.pdm, record.triangles), []
    aligner = FaceAligner(record.pdm, record.triangles, aligned.size, aligned.px_per_mm, aligned.mask)
    for number, (frame, points, dump) in enumerate(injected(reference_dir, kind)):
        face = face_at(frame, points)
        appearance = extractor.extract(frame, face.landmarks)
        options = OutputOptions(folder=folder, base=str(number), hog=True, aligned=aligned)
        with OutputSet(options, default_camera(640, 480), aligner=aligner) as outputs:
            outputs.add(frame, [face], [appearance])
        dumps.append((frame, dump))
    assert len(dumps) >= 12
    return dumps


def equal_pixels(one, other):
    return (one == other).all(axis=-1).mean()


@pytest.mark.parametrize(("mask", "key"), [(True, "au_aligned_masked"), (False, "au_aligned_nomask")])
def test_files_of_tracked_frames_equal_the_originals_values(reference_dir, record, tmp_path, mask, key):
    dumps = write_all(reference_dir, "track", record, tmp_path, AlignedOptions(mask=mask))
    for number, (frame, dump) in enumerate(dumps):
        ((flag, cells),) = read_hog_records(tmp_path / f"{number}.hog")
        assert flag == 1
        np.testing.assert_allclose(cells.ravel(), dump["au_hog"][0], rtol=0, atol=1e-5)
        faces = read_aligned_folder(tmp_path / f"{number}_aligned")
        assert list(faces) == [f"frame_det_00_{frame.index + 1:06d}.bmp"]
        (image,) = faces.values()
        assert equal_pixels(image, dump[key]) >= 0.999


def test_files_of_single_images_equal_the_originals_values(reference_dir, record, tmp_path):
    dumps = write_all(reference_dir, "image", record, tmp_path, AlignedOptions())
    for number, (_, dump) in enumerate(dumps):
        ((_, cells),) = read_hog_records(tmp_path / f"{number}.hog")
        np.testing.assert_allclose(cells.ravel(), dump["au_hog"][0], rtol=0, atol=1e-5)


def test_grey_faces_are_opencvs_conversion(reference_dir, record, tmp_path):
    dumps = write_all(reference_dir, "track", record, tmp_path, AlignedOptions(gray=True))
    for number, (_, dump) in enumerate(dumps):
        (image,) = read_aligned_folder(tmp_path / f"{number}_aligned").values()
        expected = cv2.cvtColor(dump["au_aligned_masked"], cv2.COLOR_BGR2GRAY)
        assert (image == expected).mean() >= 0.999


# --- details ---


def details_of(path):
    name = path.name.removesuffix("_of_details.txt")
    single = path.parent.parent.name == "images"
    return Details(
        source=path.read_text().splitlines()[0].removeprefix("Input:"),
        camera=default_camera(*SIZES[name]),
        hog=f"{name}.hog",
        image=f"{name}.jpg" if single else None,
        aligned=f"{name}_aligned",
        table=f"{name}.csv",
    )


def test_details_equal_the_originals_up_to_paths(reference_dir):
    paths = sorted(reference_dir.glob("*/*/*_of_details.txt"))
    assert len(paths) == len(SIZES)
    for path in paths:
        ours, theirs = (
            text.splitlines(keepends=True) for text in (details_of(path).text(), path.read_text())
        )
        assert ours[0] == theirs[0]
        assert ours[1].startswith("Input full path:/")
        assert ours[2:] == theirs[2:]
