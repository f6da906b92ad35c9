"""The table of flags is the list of OpenFace's programs (docs/openface-commands.md)."""

import pytest

from mien.dropin.describe import help_text
from mien.dropin.flags import BY_NAME, FLAGS, SELECTIONS, Kind, Program, Support

VALUES = {
    Kind.TEXT: "-f -fdir -root -inroot -bboxdir -out_dir -of -format_aligned -format_vis_image -mloc -fdloc",
    Kind.INTEGER: "-device -cam_width -cam_height -simsize -n_iter",
    Kind.NUMBER: "-fx -fy -cx -cy -simscale -sigma -reg -w_reg",
    Kind.ZERO_OR_ONE: "-multi_view -validate_detections",
    Kind.SWITCH: "-2Dfp -3Dfp -pdmparams -pose -aus -gaze -hogalign -simalign -tracked -nobadaligned -nomask "
    "-g -au_static -verbose -vis-track -vis-hog -vis-align -vis-aus -q -wild",
}
DEFAULTS = {
    "-cam_width": "640",
    "-cam_height": "480",
    "-out_dir": "processed",
    "-format_aligned": "bmp",
    "-format_vis_image": "jpg",
    "-simscale": "0.7",
    "-simsize": "112",
    "-mloc": "model/main_ceclm_general.txt",
    "-sigma": "1.5",
    "-reg": "25",
    "-w_reg": "0",
    "-multi_view": "0",
    "-validate_detections": "1",
    "-n_iter": "5",
}


def test_every_flag_of_openface_is_there_and_no_other():
    expected = {name: kind for kind, names in VALUES.items() for name in names.split()}
    assert {flag.name: flag.kind for flag in FLAGS if not flag.own} == expected
    assert len(FLAGS) == len(BY_NAME)


def test_mien_adds_the_layout_of_tables_alone():
    assert [flag.name for flag in FLAGS if flag.own] == ["--csv-style"]


def test_defaults_are_openfaces():
    assert {name: BY_NAME[name].default for name in DEFAULTS} == DEFAULTS


def test_nine_flags_select_outputs():
    nine = "-2Dfp -3Dfp -pdmparams -pose -aus -gaze -hogalign -simalign -tracked"
    assert nine.split() == list(SELECTIONS)


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_says_what_becomes_of_it(flag):
    assert (flag.kind is Kind.SWITCH) == (not flag.value)
    assert bool(flag.elsewhere) == (len(flag.programs) < 3)
    assert not (flag.window and flag.refused)
    assert flag.meaning


def test_what_can_not_be_honoured_is_the_haar_detector_and_windows():
    by_support = {
        support: {f.name for f in FLAGS if f.support(Program.FEATURE_EXTRACTION) is support}
        for support in Support
    }
    assert by_support[Support.REFUSED] == {"-fdloc"}
    assert by_support[Support.NO_WINDOW] == {"-verbose", "-vis-track", "-vis-hog", "-vis-align", "-vis-aus"}
    assert by_support[Support.NO_EFFECT] == {"-bboxdir", "-format_vis_image", "-multi_view"}


@pytest.mark.parametrize("program", Program)
def test_help_names_every_flag_and_fits_a_terminal(program):
    text = help_text(program)
    words = set(text.split())
    assert {flag.name for flag in FLAGS} <= words
    assert max(map(len, text.splitlines())) <= 110


def markdown_table():
    rows = ["| flag | meaning | default | mien |", "|---|---|---|---|"]
    for flag in FLAGS:
        default = f"`{flag.default}`" if flag.default else ""
        rows.append(f"| `{flag.usage}` | {flag.meaning} | {default} | {_treatment(flag)} |")
    return "\n".join(rows)


def _treatment(flag):
    if flag.window:
        return "a warning: mien opens no windows"
    where = [program for program in Program if program in flag.programs]
    honoured = "mien's own" if flag.own else "as in OpenFace"
    text = f"an error: {flag.refused}" if flag.refused else honoured
    if len(where) < len(Program):
        others = ", ".join(program for program in Program if program not in flag.programs)
        text += f"; no effect in {others}, where a warning says so: {flag.elsewhere}"
    return text


def test_the_documentation_holds_the_table_as_it_is(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "openface-commands.md").read_text()
    assert markdown_table() in page
