import dataclasses

import numpy as np
from test_actions import result


def test_a_notebook_shows_means_of_both_sides():
    both = result(left=2.0, right=1.0)
    shown = both._repr_html_()
    usable = both.usable
    left, right = both.intensity[:, usable, 8].mean(axis=1)
    assert f"<td>AU12</td><td>{left:.2f}</td><td>{right:.2f}</td><td>{left - right:.2f}</td>" in shown
    assert f"<td>{int(usable.sum())}</td>" in shown
    assert "commissure height, mm" in shown
    assert "not a diagnosis" in shown


def test_what_was_not_measured_is_not_shown():
    both = result()
    nothing = dataclasses.replace(both, intensity=None, usable=np.zeros(len(both), np.bool_))
    shown = nothing._repr_html_()
    assert "<table>" not in shown
    assert f"{len(both)} rows · 0 usable" in shown
