"""Command lines of the original: any order, repeated flags, nothing passed over in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.dropin.flags import BY_NAME, FLAGS, Kind, Program, Support
from mien.dropin.parsing import parse
from mien.errors import OptionError

programs = st.sampled_from(list(Program))
words = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1).filter(
    lambda word: word not in BY_NAME
)


def texts_of(flag):
    """A flag's values as words, each with what it means; a switch has none."""
    numbers = st.floats(-1e6, 1e6).map(lambda number: (repr(number), number))
    return {
        Kind.SWITCH: st.just((None, True)),
        Kind.TEXT: words.map(lambda word: (word, word)),
        Kind.INTEGER: st.integers(-(10**6), 10**6).map(lambda number: (str(number), number)),
        Kind.NUMBER: numbers,
        Kind.ZERO_OR_ONE: st.booleans().map(lambda flag: (str(int(flag)), flag)),
    }[flag.kind]


accepted = [flag for flag in FLAGS if not flag.refused]
occurrences = st.sampled_from(accepted).flatmap(lambda flag: st.tuples(st.just(flag), texts_of(flag)))


def line_of(given_flags):
    return [word for flag, (text, _) in given_flags for word in (flag.name, text) if word is not None]


@given(programs, st.lists(occurrences))
def test_all_that_is_given_comes_back_in_order_or_is_warned_of(program, given_flags):
    arguments = parse(program, line_of(given_flags))
    honoured = [(f.name, v) for f, (_, v) in given_flags if f.support(program) is Support.HONOURED]
    assert list(arguments.given) == honoured
    others = {f.name for f, _ in given_flags if f.support(program) is not Support.HONOURED}
    assert {warning.split(":")[0] for warning in arguments.warnings} == others


@given(programs, st.lists(occurrences), st.randoms())
def test_the_order_of_different_flags_does_not_matter(program, given_flags, random):
    once = list({flag.name: (flag, value) for flag, value in given_flags}.values())
    mixed = random.sample(once, len(once))
    first, second = parse(program, line_of(once)), parse(program, line_of(mixed))
    assert dict(first.given) == dict(second.given)
    assert set(first.warnings) == set(second.warnings)


@given(programs, st.lists(words))
def test_unknown_words_are_all_named(program, line):
    arguments = parse(program, line)
    said = [word for warning in arguments.warnings for word in warning.split(": unknown")[0].split(" ")]
    assert set(said) == set(line)
    assert arguments.given == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["-f"], "-f: expected FILE .* got the end of the command line"),
        (["-f", "-of", "x"], "-f: expected FILE .* got the flag -of"),
        (["-f", ""], "-f: expected text, got ''"),
        (["-sigma", "wide"], "-sigma: expected a number, got 'wide'"),
        (["-fx", "nan"], "-fx: expected a number, got 'nan'"),
        (["-simsize", "12.5"], "-simsize: expected a whole number, got '12.5'"),
        (["-multi_view", "2"], "-multi_view: expected 0 or 1, got '2'"),
        (["-fdloc", "haar.xml"], "-fdloc: mien detects faces by MTCNN"),
    ],
)
def test_what_can_not_be_done_is_an_error_that_names_the_flag(line, message):
    with pytest.raises(OptionError, match=message):
        parse(Program.FEATURE_EXTRACTION, line)


def test_wild_chooses_the_detector_again_and_the_last_word_counts():
    arguments = parse(Program.FEATURE_EXTRACTION, ["-fdloc", "haar.xml", "-wild"])
    assert "-fdloc: no effect, as -wild after it" in arguments.warnings[0]
    with pytest.raises(OptionError):
        parse(Program.FEATURE_EXTRACTION, ["-wild", "-fdloc", "haar.xml"])


def test_the_program_of_several_faces_never_uses_the_haar_detector():
    arguments = parse(Program.FACE_LANDMARK_VID_MULTI, ["-fdloc", "haar.xml"])
    assert arguments.warnings == (
        "-fdloc: no effect in FaceLandmarkVidMulti, in OpenFace neither: it always detects faces by MTCNN",
    )


def test_a_negative_number_is_a_value():
    assert parse(Program.FACE_LANDMARK_IMG, ["-cx", "-3.5"]).last("-cx") == -3.5


def test_unknown_flags_are_named_with_their_values_and_a_suggestion():
    arguments = parse(Program.FACE_LANDMARK_IMG, ["-2dfp", "-outroot", "a", "b", "-pose", "stray"])
    assert arguments.given == (("-pose", True),)
    assert arguments.warnings == (
        "-2dfp: unknown to OpenFace 2.2, which ignores it, and so does mien; did you mean -2Dfp?",
        "-outroot a b: unknown to OpenFace 2.2, which ignores it, and so does mien; did you mean -root?",
        "stray: unknown to OpenFace 2.2, which ignores it, and so does mien",
    )
