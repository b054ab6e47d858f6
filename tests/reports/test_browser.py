"""The page in a real browser: nothing in the console, nothing from the network, usable by keyboard, narrow and dark."""

import base64
from pathlib import Path

import pandas as pd
import pytest
from selenium.webdriver.common.actions.action_builder import ActionBuilder
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
    figures = driver.find_elements(By.CSS_SELECTOR, "#figures .figure")
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
    assert driver.execute_script("return getComputedStyle(document.querySelector('.side')).display") == "none"
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def drawn(driver, name):
    """Scroll to a figure until it is drawn to look into; its element."""
    figure = driver.find_element(By.ID, f"figure-{name}")
    driver.execute_script("arguments[0].scrollIntoView()", figure)
    WebDriverWait(driver, 30).until(lambda d: figure.find_elements(By.CSS_SELECTOR, ".chart[data-points]"))
    return figure


def points(driver, name):
    return int(drawn(driver, name).find_element(By.CSS_SELECTOR, ".chart").get_attribute("data-points"))


def count(driver):
    """Rows of the table of all results that are left."""
    return driver.execute_script("return new DataTable('#results').page.info().recordsDisplay")


def choose(driver, dimension, value):
    """Switch one value of the selection, as a click does."""
    box = f"#selection [data-dimension={dimension}] input[value='{value}']"
    driver.execute_script("arguments[0].closest('details').open = true", driver.find_element(By.CSS_SELECTOR, box))
    driver.find_element(By.CSS_SELECTOR, box).click()


def settle(driver, expected):
    """Wait until this many rows are left in the table."""
    WebDriverWait(driver, 20).until(lambda d: count(d) == expected, f"{count(driver)} rows")


def stored(index):
    return pd.read_csv(index.parent.parent / "results.csv")


def test_hovering_shows_the_numbers_of_the_store(driver, index):
    show(driver, index)
    figure = drawn(driver, "accuracy")
    cells = stored(index).query("dataset == 'pima' and method == 'nngp' and gamma == 0.1")
    (cell,) = cells.to_dict("records")
    script = """
        const chart = arguments[0].querySelector('.chart');
        const {left, top} = chart.getBoundingClientRect();
        const k = chart._fullData.findIndex((t) => t.legendgroup === 'nngp');
        const {xaxis, yaxis} = chart._fullLayout;
        const {x, y} = chart._fullData[k];
        return [left + xaxis._offset + xaxis.d2p(x[0]), top + yaxis._offset + yaxis.d2p(y[0])];
    """
    x, y = driver.execute_script(script, figure)
    builder = ActionBuilder(driver)
    builder.pointer_action.move_to_location(round(x) - 3, round(y))
    builder.pointer_action.move_to_location(round(x), round(y))
    builder.perform()
    label = WebDriverWait(driver, 10).until(lambda d: figure.find_element(By.CSS_SELECTOR, ".hovertext"))
    lines = driver.execute_script("return [...arguments[0].querySelectorAll('.line')].map((l) => l.textContent)", label)
    said = dict(line.split(": ", 1) for line in lines)
    assert said["data set"] == "pima"
    assert (said["method"], said["γ"], said["runs"]) == ("nngp", "0.1", "1")
    assert float(said["mean"].split()[0]) == pytest.approx(cell["test_accuracy"], rel=1e-5)
    assert float(said["run time"].removesuffix(" s")) == pytest.approx(cell["runtime_s"], rel=1e-5)


def test_every_number_of_a_label_is_that_of_the_figures_file(driver, index):
    show(driver, index)
    drawn(driver, "width")
    texts = driver.execute_script(
        "return document.querySelector('#figure-width .chart').data.filter((t) => t.customdata).flatMap((t) => t.text)"
    )
    frame = pd.read_csv(index.parent / "figures" / "width.csv")
    assert len(texts) == len(frame)
    said = [dict(line.split(": ", 1) for line in text.split("<br>")) for text in texts]
    for one in said:
        same = (frame["problem"] == one["data set"]) & (frame["gamma"] == float(one["γ"]))
        (row,) = frame[same & (frame["series"] == one["series"]) & (frame["width"] == float(one["width"]))].to_dict(
            "records"
        )
        mean, low, high = (float(part.strip("()")) for part in one["mean"].replace(" to ", " ").split())
        assert (mean, low, high) == pytest.approx((row["mean"], row["low"], row["high"]), rel=1e-5)
        assert float(one["bound"]) == pytest.approx(row["bound"], rel=1e-5)
        assert float(one["runs"]) == row["runs"]


def test_one_selection_changes_figures_tables_and_what_is_said(driver, index):
    show(driver, index)
    results, before = stored(index), points(driver, "accuracy")
    choose(driver, "method", "sgd")
    left = results[results["method"] != "sgd"]
    settle(driver, len(left))
    frame = pd.read_csv(index.parent / "figures" / "accuracy.csv")
    assert before == len(frame)
    WebDriverWait(driver, 10).until(lambda d: points(d, "accuracy") == (frame["method"] != "sgd").sum())
    said = driver.find_element(By.ID, "shown").get_attribute("textContent")
    assert said.startswith(f"{len(left)} of {len(results)} cells shown")
    choose(driver, "gamma", "0.1")
    left = left[left["gamma"] != 0.1]
    settle(driver, len(left))
    WebDriverWait(driver, 10).until(
        lambda d: points(d, "accuracy") == ((frame["method"] != "sgd") & (frame["gamma"] != 0.1)).sum()
    )
    hidden = "return [...document.querySelectorAll('table.plain tbody tr')].filter((tr) => tr.hidden).length"
    assert driver.execute_script(hidden) > 0
    driver.find_element(By.ID, "clear").click()
    settle(driver, len(results))
    assert driver.execute_script(hidden) == 0


def test_a_link_restores_the_view_in_a_new_window_and_the_back_button_goes_back(driver, index):
    show(driver, index)
    results = stored(index)
    choose(driver, "method", "sgd")
    choose(driver, "width", "100")
    left = results[(results["method"] != "sgd") & (results["width"] != 100)]
    settle(driver, len(left))
    head(driver, "runtime (s)").find_element(By.CSS_SELECTOR, ".dt-column-title").click()
    least = f"{left['runtime_s'].min():.6g}"
    wait_for(driver, "runtime (s)", lambda texts: texts[0] == least)
    drawn(driver, "width").find_element(By.CSS_SELECTOR, "[data-axis=y]").click()
    driver.find_element(By.CSS_SELECTOR, "a[data-cell]").click()
    title, link, shown_points = (
        driver.find_element(By.ID, "cell-title").text,
        driver.current_url,
        points(driver, "width"),
    )
    first = driver.current_window_handle
    driver.switch_to.new_window("window")
    try:
        driver.get(link)
        WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#results[data-ready]"))
        settle(driver, len(left))
        wait_for(driver, "runtime (s)", lambda texts: texts[0] == least)
        assert driver.find_element(By.ID, "cell-title").text == title != ""
        assert points(driver, "width") == shown_points
        button = driver.find_element(By.CSS_SELECTOR, "#figure-width [data-axis=y]")
        assert button.get_attribute("aria-pressed") == "false"
        assert driver.current_url == link
    finally:
        driver.close()
        driver.switch_to.window(first)
    driver.back()
    WebDriverWait(driver, 10).until(lambda d: not d.find_element(By.ID, "cell").is_displayed())
    for _ in range(3):
        driver.back()
    settle(driver, (results["method"] != "sgd").sum())
    driver.back()
    settle(driver, len(results))


def test_a_row_opens_with_everything_known(driver, index):
    show(driver, index)
    cell = stored(index).query("method == 'sdp' and dataset == 'pima'").iloc[0]
    driver.get(f"{index.as_uri()}#?cell={cell['cell']}")
    WebDriverWait(driver, 10).until(lambda d: d.find_element(By.ID, "cell").is_displayed())
    known = driver.execute_script(
        "const all = [...document.querySelectorAll('#cell dd')];"
        "return Object.fromEntries(all.map((dd) => [dd.dataset.name, dd.textContent]))"
    )
    for name in ("objective", "lower_bound", "gap", "test_accuracy", "runtime_s", "solve_s", "peak_memory_mb", "gamma"):
        assert float(known[name]) == pytest.approx(cell[name], rel=1e-5), name
    assert (known["certificate"], known["options"], known["status"]) == ("dnn", cell["options"], "ok")
    commands = [pre.text for pre in driver.find_elements(By.CSS_SELECTOR, "#cell pre")]
    assert "--dataset=pima --method=sdp --gamma=0.1 --width=300" in commands[0]
    assert commands[1] == f"relaxbench verify {index.parent.parent}"
    WebDriverWait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#cell .way[data-points='20']"))


def test_a_point_opens_the_cells_that_it_stands_for(driver, index):
    show(driver, index)
    figure = drawn(driver, "width")
    script = """
        const chart = arguments[0].querySelector('.chart');
        const k = chart.data.findIndex((t) => t.customdata && t.legendgroup === 'sgd');
        chart.emit('plotly_click', {points: [{customdata: chart.data[k].customdata[0]}]});
    """
    driver.execute_script(script, figure)
    links = driver.find_elements(By.CSS_SELECTOR, "#cell .cells a")
    assert len(links) == 3  # seeds
    links[1].click()
    WebDriverWait(driver, 10).until(lambda d: "seed 1" in d.find_element(By.ID, "cell-title").text)


def test_the_keyboard_alone_is_enough(driver, index):
    show(driver, index)
    results = stored(index)
    summary = driver.find_element(By.CSS_SELECTOR, "#selection [data-dimension=method] summary")
    summary.send_keys(Keys.ENTER)
    for _ in range(3):  # all, none, the first method
        driver.switch_to.active_element.send_keys(Keys.TAB)
    box = driver.switch_to.active_element
    assert box.get_attribute("type") == "checkbox"
    method = box.get_attribute("value")
    box.send_keys(Keys.SPACE)
    settle(driver, (results["method"] != method).sum())
    link = driver.find_element(By.CSS_SELECTOR, "a[data-cell]")
    link.send_keys(Keys.ENTER)
    dialog = driver.find_element(By.ID, "cell")
    assert dialog.is_displayed()
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    WebDriverWait(driver, 10).until(lambda d: not dialog.is_displayed())
    assert driver.switch_to.active_element == link


def test_blanks_are_last_in_every_sort(driver, index):
    show(driver, index)
    title = "objective"
    for way in ("asc", "desc"):
        driver.get(f"{index.as_uri()}#?sort=objective.{way}&length=500")
        known = stored(index)["objective"].sort_values(ascending=way == "asc")
        wait_for(driver, title, lambda texts, known=known: texts[0] == f"{known.iloc[0]:.6g}")
        texts = column(driver, title)
        assert 0 < texts.count("") == known.isna().sum()
        assert all(text == "" for text in texts[-texts.count("") :])


def test_without_scripts_and_on_paper_the_pictures_are_there(driver, index):
    show(driver, index)
    figure = drawn(driver, "accuracy")
    picture, chart = (figure.find_element(By.CSS_SELECTOR, selector) for selector in ("picture", ".chart"))
    assert chart.is_displayed()
    assert not picture.is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert picture.is_displayed()
    assert not chart.is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(index.as_uri())
        figures = driver.find_elements(By.CSS_SELECTOR, "#figures .figure")
        assert all(one.find_element(By.TAG_NAME, "picture").is_displayed() for one in figures)
        assert not driver.find_element(By.ID, "selection").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (380, "dark")])
def test_figures_to_look_into_are_silent_accessible_and_narrow_enough(driver, index, width, scheme):
    show(driver, index, width, scheme)
    for figure in driver.find_elements(By.CSS_SELECTOR, "#figures .figure:has(.chart)"):
        drawn(driver, figure.get_attribute("id").removeprefix("figure-"))
    inner, scroll = driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert scroll <= inner == width
    driver.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    script = "axe.run().then((r) => arguments[0](r.violations.map((v) => [v.impact, v.id, v.nodes[0].html])))"
    found = driver.execute_async_script(script)
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []
    assert driver.get_log("browser") == []
    assert [url for url in asked_for(driver) if not url.startswith("data:")] == []


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
