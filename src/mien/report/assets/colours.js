// Colours and dashes of lines, for every page that draws time courses.
// Found by search: far apart for every kind of colour vision, and from the ground (tests/report/test_colours.py).
const LIGHT = ["#2800f0", "#c87800", "#005000", "#f00050", "#c850f0", "#500078", "#f028a0", "#500028"];
const DARK = ["#7850f0", "#f07800", "#50f078", "#f078f0", "#c8f0f0", "#f0f000", "#a07850", "#007878"];
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3], [5, 2]];
