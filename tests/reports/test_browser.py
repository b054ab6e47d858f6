"""The page in a real browser: nothing in the console, nothing from the network, usable by keyboard, narrow and dark."""

import base64
from pathlib import Path

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from ..support.browser import asked_for, look_through, needs_browser, start
from ..support.report_folder import make_rows, quick_report, write_folder

AXE = Path(__file__).parent / "axe" / "axe.min.js"

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def driver():
    chrome = start()
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("browser") / "run", make_rows())
    return quick_report(folder, ("single", "double"))


def show(driver, path, width=1200, scheme="light"):
    """Load the page and wait until its table is there; returns what the console said and what was asked for."""
    look_through(driver, width, scheme)
    driver.get_log("performance")
    driver.get_log("browser")
    driver.get(path.as_uri())
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#results[data-ready]"))
    return driver.get_log("browser"), asked_for(driver)


def column(driver, title):
    """The texts of a column of the table of all results, as they are on the screen."""
    script = """
        const heads = [...document.querySelectorAll('#results thead th')].map((th) => th.innerText.trim());
        const k = heads.indexOf(arguments[0]);
        return [...document.querySelectorAll('#results tbody tr')].map((tr) => tr.cells[k].innerText);
    """
    return driver.execute_script(script, title)


def wait_for(driver, title, expected):
    """Wait until the column shows this: the table is sorted and filtered after the event, not during it."""
    WebDriverWait(driver, 20).until(lambda d: expected(column(d, title)), f"{title}: {column(driver, title)}")


def head(driver, title):
    heads = driver.find_elements(By.CSS_SELECTOR, "#results thead th")
    return next(th for th in heads if th.text.strip() == title)


def test_console_and_network_stay_silent(driver, index):
    console, asked = show(driver, index)
    assert console == []
    assert [url for url in asked if not url.startswith("data:")] == [index.as_uri()]


@pytest.mark.parametrize("width", [1200, 380])
def test_images_load_and_have_alternative_texts(driver, index, width):
    show(driver, index, width)
    images = driver.execute_script("return [...document.images].map((i) => [i.naturalWidth, i.alt, i.currentSrc])")
    assert len(images) > 10
    assert all(size > 0 and len(alt) > 20 for size, alt, _ in images)
    assert len({alt for _, alt, _ in images}) == len(images)
    sources = driver.execute_script("return [...document.querySelectorAll('source')].map((s) => s.srcset)")
    assert [source in sources for _, _, source in images] == [width < 600] * len(images)


@pytest.mark.parametrize("width", [380, 700, 1200])
def test_nothing_makes_the_page_scroll_sideways(driver, index, width):
    show(driver, index, width)
    driver.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    inner, scroll = driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert scroll <= inner == width


@pytest.mark.parametrize("width", [380, 768, 1400])
def test_titles_of_columns_are_not_broken_into_letters(driver, index, width):
    show(driver, index, width)
    script = "return [...document.querySelectorAll('#results thead th')].map((th) => th.offsetHeight)"
    assert max(driver.execute_script(script)) < 60


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (380, "light")])
def test_axe_finds_nothing_serious(driver, index, width, scheme):
    show(driver, index, width, scheme)
    driver.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    script = "axe.run().then((r) => arguments[0](r.violations.map((v) => [v.impact, v.id, v.nodes[0].html])))"
    found = driver.execute_async_script(script)
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []


def test_sorting_by_click_and_by_keyboard(driver, index):
    results = pd.read_csv(index.parent.parent / "results.csv")
    show(driver, index)
    ascending = [f"{x:.6g}" for x in results["runtime_s"].sort_values()]
    head(driver, "runtime (s)").find_element(By.CSS_SELECTOR, ".dt-column-title").click()
    wait_for(driver, "runtime (s)", lambda texts: texts == ascending[:25])
    head(driver, "runtime (s)").find_element(By.CSS_SELECTOR, ".dt-column-title").click()
    wait_for(driver, "runtime (s)", lambda texts: texts == ascending[:-26:-1])
    head(driver, "n").find_element(By.CSS_SELECTOR, "[tabindex='0']").send_keys(Keys.ENTER)
    wait_for(driver, "n", lambda texts: texts == [f"{n}" for n in results["n"].sort_values()[:25]])


def test_filtering_by_word_and_by_list(driver, index):
    show(driver, index)
    total = driver.find_element(By.CSS_SELECTOR, ".dt-info").text
    driver.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("spiral ntk")
    wait_for(driver, "method", lambda texts: set(texts) == {"ntk"})
    assert set(column(driver, "data set")) == {"spiral"}
    assert driver.find_element(By.CSS_SELECTOR, ".dt-info").text != total
    show(driver, index)
    head(driver, "method").find_element(By.CSS_SELECTOR, ".dtcc-button_dropdown").click()
    options = driver.find_elements(By.CSS_SELECTOR, ".dtcc-list-buttons button")
    assert {option.text for option in options} == {"sdp", "cpp", "nngp", "ntk", "sgd"}
    next(option for option in options if option.text == "cpp").click()
    wait_for(driver, "method", lambda texts: set(texts) == {"cpp"})


def test_figures_have_their_table_one_click_away(driver, index):
    show(driver, index)
    figures = driver.find_elements(By.CSS_SELECTOR, "#figures section")
    assert len(figures) > 10
    for figure in figures:
        assert not figure.find_element(By.CSS_SELECTOR, "table").is_displayed()
        summary = figure.find_element(By.CSS_SELECTOR, "summary")
        summary.send_keys(Keys.ENTER)
        assert figure.find_element(By.CSS_SELECTOR, "table").is_displayed()


def test_the_summary_fits_one_screen(driver, index):
    show(driver, index)
    bottom = driver.execute_script("return document.getElementById('summary').getBoundingClientRect().bottom")
    assert bottom <= 900


def test_dark_is_dark_and_print_is_not(driver, index):
    background = "return getComputedStyle(document.body).backgroundColor"
    show(driver, index, scheme="dark")
    assert driver.execute_script(background) == "rgb(13, 17, 23)"
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert driver.execute_script(background) == "rgb(255, 255, 255)"
    assert driver.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_hostile_names_do_nothing(driver, tmp_path):
    evil = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
    rows = make_rows({evil: (20, 2, 2, 0.9, 1)}, methods=("sgd", "nngp"), widths=(5,))
    rows = [{**row, "method": f"{evil}{k % 2}", "message": evil, "status": "failed"} for k, row in enumerate(rows)]
    index = quick_report(write_folder(tmp_path / "run", rows, records=False))
    console, asked = show(driver, index)
    assert console == []
    assert [url for url in asked if not url.startswith("data:")] == [index.as_uri()]
    head(driver, "data set").find_element(By.CSS_SELECTOR, ".dtcc-button_dropdown").click()
    assert driver.title == "relaxbench: run"
    assert not driver.find_elements(By.CSS_SELECTOR, "img[src=x]")
    assert set(column(driver, "data set")) == {evil} or all(text.startswith("…") for text in column(driver, "data set"))
