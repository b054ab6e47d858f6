"""The site: every public name, command and page is in it, links lead somewhere, and it asks the network for nothing.

What is fast reads sources; what is slow builds the site, with three notebooks, and looks into what came out.
"""

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from relaxbench.bench import cli
from relaxbench.bench.cli.parser import leaves

import relaxbench as rb

from .support.browser import asked_for, look_through, needs_browser, start

HOUSE = Path(__file__).resolve().parent.parent
DOCS = HOUSE / "docs"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
needs_sphinx = pytest.mark.skipif(
    importlib.util.find_spec("sphinx") is None, reason="THE SITE IS NOT BUILT: make docs installs what it takes"
)


@pytest.fixture(scope="module")
def generated():
    spec = importlib.util.spec_from_file_location("generated", DOCS / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def toctree(page):
    """The pages that a page's tables of contents name."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]


def test_every_page_is_reached_from_the_start():
    reached, waiting = set(), ["index"]
    while waiting:
        reached.add(waiting[0])
        waiting += toctree(waiting.pop(0))
    assert reached == PAGES, "name a new page in a toctree: docs/guides.md, findings.md, background.md or reference.md"


def test_every_public_name_is_on_the_page(generated):
    found = re.findall(
        r"^\.\. (?:auto(?:function|class|exception)|py:data):: relaxbench\.(\w+)$", generated.names(), re.MULTILINE
    )
    assert sorted(found) == sorted(rb.__all__)


def test_what_a_public_function_returns_is_on_the_page(generated):
    text = generated.names()
    for name in ("bench.certify.Interval", "bench.runs.Run", "bench.compare.checks.Check", "datasets.dataset.Dataset"):
        assert f".. autoclass:: relaxbench.{name}\n" in text


@pytest.mark.parametrize("words", [words for words, _ in leaves(cli.COMMANDS)])
def test_every_command_is_on_the_page_with_all_that_its_help_names(words, generated, capsys):
    with pytest.raises(SystemExit):
        cli.main([*words.split()[1:], "--help"])
    said = capsys.readouterr().out.partition("examples:")[0]
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said)) - {"--help"}
    (part,) = re.findall(rf"^## {words}\n(.*?)(?=^## )", generated.commands(), re.DOTALL | re.MULTILINE)
    entries = re.findall(r"^`(.*)`\n: \S", part, re.MULTILINE)
    assert options == {option for entry in entries for option in re.findall(r"--[a-z-]+", entry)}


class _Reader(HTMLParser):
    """Anchors of a page, its links, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "link", "iframe", "source") and (target := given.get("src") or given.get("href")):
            self.loads.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    done = subprocess.run(
        [*command, "-d", folder / "doctrees", DOCS, folder / "html"], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    found = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]  # templates of the theme
    return {path: _Reader(path) for path in found}


@pytest.mark.slow
@needs_sphinx
def test_every_page_name_and_command_is_in_the_html(site, pages):
    assert all(site / f"{name}.html" in pages for name in PAGES)
    assert {f"relaxbench.{name}" for name in rb.__all__} <= pages[site / "api.html"].anchors
    assert {words.replace(" ", "-") for words, _ in leaves(cli.COMMANDS)} <= pages[site / "commands.html"].anchors
    text = (site / "architecture.html").read_text(encoding="utf-8")
    assert "flowchart" not in text
    assert "bench/cli/" in text


@pytest.mark.slow
@needs_sphinx
def test_notebooks_show_what_they_promise(site):
    text = {path.stem: path.read_text(encoding="utf-8") for path in (site / "notebooks").glob("*.html")}
    assert sorted(text) == ["certify", "figure", "regression"]
    assert "must prove the bound that it claims" in text["certify"]
    assert re.search(r'<img[^>]+src="\.\./_images/', text["certify"])
    assert re.search(r'<img[^>]+src="\.\./_images/', text["figure"])
    assert "exit code 1" in text["regression"]
    assert "Traceback" not in "".join(text.values())


@pytest.mark.slow
@needs_sphinx
def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(pages):
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            target, anchor = urldefrag(link)
            if "://" in target or target.startswith(("mailto:", "data:")):
                assert link in page.links, f"{path.name} loads {link}"
                continue
            there = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            assert there.is_file(), f"{path.name}: {link}"
            if anchor and there in pages:
                assert unquote(anchor) in pages[there].anchors, f"{path.name}: {link}"


@pytest.mark.slow
@needs_sphinx
@needs_browser
@pytest.mark.parametrize("width", [380, 1280])
def test_in_a_browser_nothing_scrolls_sideways_and_the_network_is_not_asked(pages, width):
    driver = start()
    try:
        for path in pages:
            look_through(driver, width)
            driver.get(path.as_uri())
            asked = [url for url in asked_for(driver) if not url.startswith(("data:", "file:", "blob:"))]
            assert asked == [], path.name
            assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), path.name
            broken = "return [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
            assert driver.execute_script(broken) == [], path.name
            assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == [], path.name
    finally:
        driver.quit()
