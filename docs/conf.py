"""Sphinx settings: the pages beside this file, and a reference built from the docstrings."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

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
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Cancellation", "returns_style")]

markdown_anchor_signatures = True
markdown_flavor = "github"

# The build works without a network, so names of other projects lead nowhere; a wrong name of our own is an error.
nitpick_ignore_regex = [
    ("py:.*", r"(trio|collections|contextlib|enum|grpclib|os|pathlib|ssl|subprocess|types|typing)\..*"),
    ("py:.*", "|".join(dir(builtins))),
]


def spell_out_stars(app: Sphinx, doctree: nodes.document, _name: str) -> None:
    """Keep the ``*`` of keyword-only parameters: the markdown builder drops the mouse-over text it comes in."""
    if app.builder.name == "markdown":
        for node in list(doctree.findall(nodes.abbreviation)):
            node.replace_self(nodes.Text(node.astext()))


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("doctree-resolved", spell_out_stars)
