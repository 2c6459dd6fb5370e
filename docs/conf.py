"""Sphinx settings: the pages beside this file, and a reference built from the docstrings."""

from __future__ import annotations

import builtins
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.pycode import ModuleAnalyzer

if TYPE_CHECKING:
    from collections.abc import Iterable

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
add_module_names = False
html_theme = "furo"
html_title = "etcetra_trio"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False  # what a call returns is said in prose; the type stands in the signature
napoleon_custom_sections = [("Cancellation", "returns_style")]

markdown_anchor_signatures = True
markdown_flavor = "github"
markdown_uri_doc_suffix = ".rst"  # of the pages here, only the reference is also there as markdown

# The build works without a network, so names of other projects lead nowhere; a wrong name of our own is an error.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(trio|_?asyncio|collections|contextlib|enum|grpclib|os|pathlib|random|ssl|subprocess|types|typing)\..*",
    ),
    ("py:.*", "|".join(dir(builtins))),
    # Words of annotations that stand for themselves.
    (
        "py:.*",
        r"(.*\.)?(\w+T|KeySpace|ReadOptions|RangeOptions|Inherit|EngineName|_Endpoints|_TLS|Credentials)",
    ),
    ("py:.*", r"(.*\.)?(Ts|Connector|Path)"),
    ("py:.*", r"Cardinality|Deadline|MetadataLike|MultiDict|OnLag|OnLost|AbstractAsyncContextManager"),
]


def keep_first_line(_app: Sphinx, what: str, *rest: Any) -> None:  # noqa: ANN401 - Sphinx's arguments
    """Keep napoleon from taking what stands before a colon in a property's docstring for the property's type."""
    lines: list[str] = rest[-1]
    if what == "property":
        lines[:1] = lines[0].replace(": ", ":\n", 1).splitlines()


def list_fields(_app: Sphinx, what: str, *rest: Any) -> None:  # noqa: ANN401 - as above
    """List the fields of a named tuple or a dataclass, with what the ``#:`` comments say of them.

    Autodoc itself looks for these comments in ``etcetra_trio``, where the classes say that they are.
    """
    thing, lines = rest[1], rest[-1]
    names: Iterable[str] = getattr(thing, "_fields", ()) or getattr(thing, "__dataclass_fields__", ())
    if what != "class" or not names or {"Attributes:", "Args:"} & set(lines):
        return
    comments: dict[str, str] = {}
    for home, module in list(sys.modules.items()):
        if home.startswith("etcetra_trio._") and vars(module).get(thing.__name__) is thing:
            found = ModuleAnalyzer.for_module(home).find_attr_docs()
            comments |= {
                name: " ".join(text) for (owner, name), text in found.items() if owner == thing.__name__
            }
    if comments:  # then of each field
        lines += ["Attributes:", *(f"  {name}: {comments[name]}" for name in names), ""]


def skip_fields(_app: Sphinx, _what: str, _name: str, thing: object, *_rest: object) -> bool | None:
    """Leave out what :func:`list_fields` has listed."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def show_public_bases(_app: Sphinx, _name: str, _thing: object, _options: object, bases: list[type]) -> None:
    """Show the bases of a private base instead of it."""
    bases[:] = [
        public for base in bases for public in (base.__bases__ if base.__name__[0] == "_" else [base])
    ]


# Private bases of EtcdCommunicator, whose docstrings say what their methods have in common.
COMMON = {
    "Reads": "etcetra_trio._reads.Reads",
    "Writes": "etcetra_trio._writes.Writes",
    "Watches": "etcetra_trio._watches.Watches",
    "Leases": "etcetra_trio._leases.Leases",
}


def use_public_names(app: Sphinx, doctree: nodes.document) -> None:
    """Let links go to ``etcetra_trio.X`` where annotations name the private module that X stands in."""
    known = app.env.domains["py"].objects  # type: ignore[attr-defined]  # of this page: it was just read
    for link in doctree.findall(addnodes.pending_xref):
        target = link.get("reftarget", "")
        if target == "type":  # Python's, and not a field of that name
            link.attributes.pop("refspecific", None)
        link["reftarget"] = COMMON.get(target) or re.sub(r"\._\w+\.", ".", target)
        module = link.get("py:module") or ""
        if module.startswith("etcetra_trio._"):
            link["py:module"] = "etcetra_trio"
        if module == "etcetra_trio.asyncio":  # its classes have the methods of the Trio client's
            inside = f"{link.get('py:class')}.{link['reftarget']}"
            if not {f"{module}.{name}" for name in (link["reftarget"], inside)} & known.keys():
                link["py:module"] = "etcetra_trio"
    if (
        app.builder.name == "markdown"
    ):  # it drops the mouse-over text that a ``*`` between parameters comes in
        for star in list(doctree.findall(nodes.abbreviation)):
            star.replace_self(nodes.Text(star.astext()))


def bring_the_other_pages(app: Sphinx, failure: Exception | None) -> None:
    """Put what is Markdown here, which Sphinx does not read, where the links of ``index`` lead to."""
    if app.builder.name == "html" and failure is None:
        here, there = Path(app.srcdir), Path(app.outdir)
        shutil.copytree(here / "design", there / "design", dirs_exist_ok=True)
        for page in here.glob("*.md"):
            shutil.copy(page, there)


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("autodoc-process-docstring", keep_first_line, priority=400)  # napoleon has 500
    app.connect("autodoc-process-docstring", list_fields, priority=400)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("doctree-read", use_public_names)
    app.connect("build-finished", bring_the_other_pages)
