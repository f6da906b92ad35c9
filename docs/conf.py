"""How Sphinx builds the site: `sphinx-build -n -W docs site`. Nothing in it is loaded from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import mien  # the names of the reference are imported from it

project = "mien"
author = "The mien developers"
copyright = "the mien developers, Apache License 2.0"
version = release = mien.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "commands", "docstrings"]
exclude_patterns = ["extensions"]
root_doc = "index"
default_role = "py:obj"  # single backticks in docstrings: a link where there is such a name

# Pages are read on GitHub, too: its anchors, its links, its fences.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
highlight_language = "none"
suppress_warnings = ["epub.unknown_project_files"]

autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "pydata_sphinx_theme"
html_title = "mien"
html_static_path = ["_static"]
html_css_files = ["mien.css"]
html_sidebars = {"gallery": []}
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 7,
}


_MANY = 12
"""Fields of a result, which nobody constructs by hand and which are listed below it anyhow."""


def shorten(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """Leave out the signatures of large results; options keep theirs, with the defaults."""
    fields = getattr(obj, "__dataclass_fields__", {})
    if what == "class" and len(fields) > _MANY and not name.endswith("Options"):
        return "", returned
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Say that pages may be read and written by several processes."""
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
