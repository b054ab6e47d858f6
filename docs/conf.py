"""The documentation site, made by `make docs`: the pages of this folder, which are read on GitHub as well."""

import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from jupyter_client import KernelManager
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import relaxbench

sys.path.insert(0, str(Path(__file__).parent))
import generated

project = "relaxbench"
author = "the relaxbench authors"
version = release = relaxbench.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
highlight_language = "text"
default_role = "code"  # docstrings write names between single backticks, as Markdown does
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!relaxbench\.).*")]  # names of other packages lead to other sites

myst_heading_anchors = 3  # as GitHub has them
myst_enable_extensions = ["deflist"]
myst_fence_as_directive = ["mermaid"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
KernelManager.transport_encryption.default_value = "auto"  # else every kernel warns that it has none
nb_merge_streams = True
nb_render_markdown_format = "myst"

toc_object_entries = False  # every name has a heading
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "pydata_sphinx_theme"
html_title = "relaxbench"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}  # light or dark as the reader has it; the theme complains without
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copyright = "the relaxbench authors, MIT licence"

GENERATED = {"api": generated.names, "commands": generated.commands}
PAGES_ELSEWHERE = {"../README.md": "index.md"}  # pages outside this folder, and where the site has what they say


class Mermaid(SphinxDirective):
    """A flowchart as a table of its arrows: GitHub draws it, which here would take megabytes of JavaScript."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Read labels, folders and arrows line by line; what arrows lead to stands beside where they begin."""
        shown: dict[str, str] = {}
        arrows: dict[str, list[str]] = {}
        folder = ""
        for line in self.content:
            if begun := re.match(r"\s*subgraph (\w+)", line):
                folder = f"{begun[1]}/"
            elif line.strip() == "end":
                folder = ""
            if label := re.match(r'\s*(\w+)\["([^"]*)"\]', line):
                title, _, path = label[2].partition("<br>")
                shown[label[1]] = f"`{path}` {title}" if path else f"`{folder}{title}`"
            if arrow := re.match(r"\s*(\w+)(?:\[.*\])? --> (\w+)", line):
                arrows.setdefault(arrow[1], []).append(arrow[2])
        rows = [f"| {shown[start]} | {', '.join(shown[end] for end in ends)} |" for start, ends in arrows.items()]
        parent = nodes.container()
        lines = StringList(["| from | to |", "| --- | --- |", *rows], self.get_source_info()[0])
        self.state.nested_parse(lines, self.content_offset, parent)
        return parent.children


def complete(app: Sphinx, page: str, source: list[str]) -> None:
    """Before a page is parsed: append what comes out of the code, and lead links out of this folder elsewhere."""
    for target, instead in PAGES_ELSEWHERE.items():
        source[0] = source[0].replace(f"]({target})", f"]({instead})")
    if page in GENERATED:
        source[0] += "\n" + GENERATED[page]()


def keep_colons(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Before napoleon, which takes what stands before a colon in the first line of a property for its type."""
    if what == "property":
        lines[:0] = ["..", ""]  # an empty comment


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", complete)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    app.add_directive("mermaid", Mermaid)
