"""Sphinx settings: the pages beside this file, and a reference built from the docstrings."""

from __future__ import annotations

import builtins

project = "etcetra_trio"
copyright = "the etcetra_trio authors"  # noqa: A001 - Sphinx's name
exclude_patterns = ["_build"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib_trio",
    "sphinx_markdown_builder",
]
default_role = "py:obj"
html_theme = "furo"
html_title = "etcetra_trio"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Cancellation"]

markdown_anchor_signatures = True
markdown_flavor = "github"

# The build works without a network, so names of other projects lead nowhere; a wrong name of our own is an error.
nitpick_ignore_regex = [
    ("py:.*", r"(trio|collections|contextlib|enum|grpclib|os|pathlib|ssl|subprocess|types|typing)\..*"),
    ("py:.*", "|".join(dir(builtins))),
]
