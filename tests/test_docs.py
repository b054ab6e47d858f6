"""The documents: columns as the code has them, links that lead somewhere, commands that the command line takes."""

import importlib.util
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from relaxbench.bench import cli
from relaxbench.bench.compare.comparison import compare
from relaxbench.bench.results.alarms import contradictions
from relaxbench.bench.results.folder import load_environment, load_results

HOUSE = Path(__file__).resolve().parent.parent
PAGES = sorted([*HOUSE.glob("*.md"), *HOUSE.glob("docs/*.md"), *HOUSE.glob("docs/*/*.md")])
PUBLISHED = sorted(path.parent for path in HOUSE.glob("docs/results/*/results.parquet"))
MOST_BYTES = 1.5e6  # of all pictures: they are kept in the repository


def made(name):
    """A page as the script of that name makes it now."""
    spec = importlib.util.spec_from_file_location(f"{name}_page", HOUSE / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.page()


@pytest.mark.parametrize("name", ["columns", "architecture", "leaderboard"])
def test_pages_made_from_the_code_are_up_to_date(name):
    text = (HOUSE / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert text == made(name), "out of date: make docs"


def test_the_architecture_names_files_that_are_there():
    text = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", text):
        assert (HOUSE / name).exists(), name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_and_pictures_are_there(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def anchors(text):
    """The anchors of a page's headings, as GitHub and the site make them."""
    heads = re.findall(r"^#{1,6} (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_to_headings_lead_to_headings(path):
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
        page = path.parent / target if target else path
        assert anchor in anchors(page.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_an_anchor_that_is_not_there_is_noticed():
    assert anchors("# A b, c\n\n```sh\n# no heading\n```\n\n## `x`: d-e\n") == {"a-b-c", "x-d-e"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_are_those_of_the_command_line(path, monkeypatch):
    """What stands in a code block as a command is parsed, and not run."""
    met = []

    def parsed_only(commands):
        heard = {"run": lambda given: met.append(given) or 0}
        return [replace(command, **heard, commands=parsed_only(command.commands)) for command in commands]

    monkeypatch.setattr(cli, "COMMANDS", parsed_only(cli.COMMANDS))
    for line in re.findall(r"^(?:    |\s*)relaxbench (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        arguments = shlex.split(line, comments=True)
        if "COMMAND" not in arguments:
            assert cli.main(arguments) == 0, line
    assert met or "    relaxbench" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda path: path.name)
def test_published_results_compare_with_themselves_and_rest_on_proofs(folder):
    assert compare(folder, folder).exit_code == 0
    cells = load_results(folder)
    assert cells["claimed_bound"].isna().all()
    assert cells["data_rounded"].notna().all()  # whoever has another processor can compare
    assert not contradictions(cells)
    each = cells.groupby(["dataset", "data_seed", "preprocess", "bias", "method"]).size()
    assert (each.groupby(["dataset", "method"]).nunique() == 1).all()  # of each draw all widths and seeds or none
    assert set(cells["environment_key"]) <= set(load_environment(folder)["environments"])
    page = HOUSE / "docs" / "leaderboard.md" if folder.name == "instances" else folder.with_suffix(".md")
    text = page.read_text(encoding="utf-8")
    assert f"{len(cells)} cells on {cells['dataset'].nunique()} data sets" in text, "out of date: make results"
    assert folder.name != "small" or text.count("**Properties of data sets and the lead of sdp") == 2


def test_published_results_are_small_enough_for_the_repository():
    assert PUBLISHED
    files = [path for path in (HOUSE / "docs" / "results").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8e6


def test_the_gallery_shows_what_is_there_and_stays_small():
    pictures = set((HOUSE / "docs" / "pictures").iterdir())
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)]+\.png)", page.read_text(encoding="utf-8"))
    }
    published = {path for path in shown if path.parent.parent.name == "results"}
    assert shown - published == pictures
    assert published == set((HOUSE / "docs" / "results" / "pictures").iterdir())
    assert sum(path.stat().st_size for path in pictures) < MOST_BYTES
