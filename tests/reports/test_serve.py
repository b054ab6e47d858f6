"""The page of a run that goes on: on this machine alone, read only, kept up to date."""

import http.client
import os
import re
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from relaxbench.bench.cli import main
from relaxbench.bench.results.record import Record, write_record
from relaxbench.reports import ReportError, report
from relaxbench.reports import live as served

from ..support.browser import asked_for, needs_browser, start
from ..support.report_folder import make_rows, write_folder

SPIRAL = {"spiral": (60, 2, 3, 0.7, 1)}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of which two cells of four have ended, and a report that is made at once whenever it changes."""
    monkeypatch.setattr("relaxbench.reports.live.LOOK_EVERY", 0.05)
    monkeypatch.setattr("relaxbench.reports.live.LEAST_REST", 0.0)
    rows = make_rows(SPIRAL, ("nngp", "sgd"), gammas=(0.1,), widths=(5, 10, 20), seeds=(0,))
    folder = write_folder(tmp_path / "run", rows[:2], plan=rows)
    for name in ("results.parquet", "results.csv", "tightness.csv"):
        (folder / name).unlink()
    return folder, rows


@pytest.fixture(autouse=True)
def nothing_goes_on():
    """Wait for threads that draw: the end of the command's process ends them, here they would draw in the next test."""
    yield
    for target in ("(_follow)", "(_renew)"):  # the first starts the second
        for thread in threading.enumerate():
            if target in thread.name:
                thread.join(120)


def small(folder):
    """Makes a report with little in it: what the server shows is tested here, not the report."""

    def make(out):
        (out / "figures").mkdir(parents=True)
        (out / "figures" / "a.svg").write_text("<svg/>")
        (out / "index.html").write_text(
            f"<head><meta content=\"default-src 'none'; script-src 'sha256-x'; base-uri 'none'\"></head>"
            f"<body>{len(list(folder.glob('cells/*/record.json')))} records, '</body>'</body>"
        )
        return out / "index.html"

    return make


@contextmanager
def serving(folder, make):
    live = served.Live(folder, make)
    with served.server_of(live, 0) as server, live:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def ask(port, path="/", method="GET", **headers):
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def wait_for(port, words, path="/", seconds=60):
    end = time.monotonic() + seconds
    while words not in (found := ask(port, path)[2]):
        assert time.monotonic() < end, found[:2000]
        time.sleep(0.05)
    return found


def test_the_page_says_how_far_the_run_is_and_is_made_again_as_records_arrive(run):
    folder, rows = run
    with serving(folder, small(folder)) as port:
        first = wait_for(port, "2 records")
        assert "2 of 4 cells of the plan have ended." in first
        assert '"progress": "2 of 4 cells of the plan have ended."' in ask(port, "/progress.json")[2]
        version = re.search(r'data-version="(\d+)"', first)[1]
        write_record(folder / "cells" / rows[2]["cell"], Record(rows[2]))
        second = wait_for(port, "3 records")
        assert "3 of 4 cells" in wait_for(port, "3 of 4", "/progress.json")
        assert re.search(r'data-version="(\d+)"', second)[1] > version
        assert not (folder / "report").exists(), "the run's folder is left alone"


def test_the_whole_report_is_served_under_its_own_policy(run, monkeypatch):
    monkeypatch.setattr("relaxbench.reports.figures.FIGURES", {})
    folder, _ = run
    with serving(folder, lambda out: report(folder, out=out, live=True)) as port:
        page = wait_for(port, "relaxbench: run")
        assert "2 of 4 cells have not ended" in page
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
        assert policy.startswith("default-src 'none';")
        assert "connect-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self'" not in policy
        for link in re.findall(r'href="((?:figures|tables)/[^"]*)"', page):
            assert ask(port, f"/{link}")[0] == 200, link


def test_it_is_read_only_and_for_this_host_alone(run):
    folder, _ = run
    with serving(folder, small(folder)) as port:
        wait_for(port, "2 records")
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, _ = ask(port, method=method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert ask(port, method="BREW")[0] == 501
        status, headers, text = ask(port, method="HEAD")
        assert (status, text) == (200, "")
        assert int(headers["Content-Length"]) > 50
        assert headers["Access-Control-Allow-Origin"] is None
        assert headers["X-Content-Type-Options"] == "nosniff"
        for host in ("evil.example", f"evil.example:{port}", "localhost", f"localhost.evil.example:{port}", ""):
            assert ask(port, Host=host)[0] == 403, host
        assert ask(port, Host=f"localhost:{port}")[0] == 200
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b" 403 " in raw.recv(100)
        with served.server_of(None, 0) as server:
            assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    ["/../plan.json", "/%2e%2e/plan.json", "/figures/../../../plan.json", "//etc/passwd", "/figures", "/figures/",
     "/figures/%2e%2e/index.html", "/..%5cplan.json", "/spec.toml", "/figures/a.svg%00", "/link.svg"],
)  # fmt: skip
def test_no_path_leads_out_of_the_report(run, path):
    folder, _ = run

    def make(out):
        index = small(folder)(out)
        (out / "link.svg").symlink_to(folder / "plan.json")
        return index

    with serving(folder, make) as port:
        wait_for(port, "2 records")
        assert ask(port, path)[0] == 404
        status, headers, text = ask(port, "/figures/a.svg")
        assert (status, headers.get_content_type(), text) == (200, "image/svg+xml", "<svg/>")
        assert headers["Content-Security-Policy"].endswith("sandbox")


def test_before_any_cell_has_ended_the_page_says_so_and_after_an_error_the_one_before_stays(run, capsys):
    folder, rows = run
    left = []

    def make(out):
        if not left:
            raise ReportError("<none> yet")
        if left[0] == "broken":
            raise KeyError("planted")
        return small(folder)(out)

    with serving(folder, make) as port:
        text = wait_for(port, "&lt;none&gt; yet")
        assert "connect-src 'self'; script-src 'sha256-" in text
        left.append("well")
        write_record(folder / "cells" / rows[2]["cell"], Record(rows[2]))
        wait_for(port, "3 records")
        left[0] = "broken"
        write_record(folder / "cells" / rows[3]["cell"], Record(rows[3]))
        wait_for(port, "4 of 4", "/progress.json")
        assert "3 records" in ask(port)[2]
        end = time.monotonic() + 30
        while "planted" not in capsys.readouterr().err:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_the_command_ends_well_after_ctrl_c(run, monkeypatch, capsys):
    folder, _ = run
    monkeypatch.setattr("relaxbench.reports.live.NICE", 0)
    monkeypatch.setattr("relaxbench.bench.cli.report.stop_on_sigterm", lambda: None)
    monkeypatch.setattr("relaxbench.reports.report", lambda folder, *, out, **_: small(folder)(out))

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", interrupted)
    assert main(["report", str(folder), "--serve", "--port", "0"]) == 0
    assert re.match(r"http://127\.0\.0\.1:\d+/ shows .* until Ctrl-C\nstopped\n", capsys.readouterr().out)


def test_wrong_usage_is_said_in_a_line_and_leaves_the_process_as_it_was(run, tmp_path, capsys):
    folder, _ = run
    priority = os.nice(0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for options, words in (
            ([str(folder), "--serve", "--port", port], "--port must be free"),
            ([str(folder), "--serve", "--port", "70000"], "from 0 (any) to 65535"),
            ([str(folder), "--serve", "--figure", "width"], "shows the whole page"),
            ([str(folder), "--port", "1"], "goes with --serve"),
            ([str(tmp_path / "none.zip"), "--serve"], "which is no folder"),
        ):
            assert main(["report", *options]) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1
            assert words in error
    assert os.nice(0) == priority  # a server that never came would slow down every test after this one


@pytest.mark.slow
@needs_browser
def test_a_browser_follows_the_run_and_keeps_its_place(run):
    folder, rows = run
    driver = start()
    try:
        with serving(folder, lambda out: report(folder, out=out, live=True)) as port:
            wait_for(port, "relaxbench: run", seconds=200)
            driver.get(f"http://127.0.0.1:{port}/")
            driver.execute_script("history.replaceState(null, '', '#chosen=later'); window.before = true")
            write_record(folder / "cells" / rows[2]["cell"], Record(rows[2]))
            end = time.monotonic() + 200
            while driver.execute_script("return window.before === true"):
                assert time.monotonic() < end
                time.sleep(0.5)
            assert driver.execute_script("return location.hash") == "#chosen=later"
            assert "3 of 4" in driver.execute_script("return document.getElementById('live').textContent")
            assert [entry for entry in driver.get_log("browser") if "favicon" not in entry["message"]] == []
            asked = [url for url in asked_for(driver) if not url.startswith("data:")]
            assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in asked), asked
        end = time.monotonic() + 60
        while "the server has stopped" not in driver.execute_script("return document.body.innerText"):
            assert time.monotonic() < end
            time.sleep(0.5)
    finally:
        driver.quit()
