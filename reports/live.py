"""The page of a run that goes on, on this machine alone: made again as records arrive, and read only.

The pages are made in a folder of their own, so the run's folder is not touched. A browser gets the report as it is,
with one script more (page/templates/live.js), which its content policy names: it asks for the progress every few
seconds, and loads the page again, place and address kept, when there is a newer one.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from ..bench.results.folder import read_plan
from ..errors import RelaxbenchError, printable
from .page.packing import in_policy
from .results import ReportError

HOST = "127.0.0.1"
LOOK_EVERY = 1.0  # seconds between two looks at the folder; ten times as long as a look takes, if that is longer
LEAST_REST = 5.0  # seconds without work after a page was made; as long as that took, if it was longer
NICE = 10  # the page takes a core: the run goes first
TYPES = {".html": "text/html", ".svg": "image/svg+xml", ".csv": "text/csv", ".json": "application/json"}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
WAITING = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ">
<title>relaxbench: waiting</title></head>
<body><main><h1>No page yet</h1><p>{reason}</p></main></body></html>
"""


@dataclass
class Shown:
    """What is served now. version: counts the pages. files: by their path in the address."""

    version: int = 0
    files: dict[str, Path] = field(default_factory=dict)
    page: str = WAITING.format(reason="The page is being made.")


class Live:
    """The page of a folder, made again by a thread whenever records have arrived: use it in a `with` statement."""

    def __init__(self, folder: Path, make: Callable[[Path], Path]) -> None:
        self.shown, self.progress = Shown(), ""
        self._folder, self._make = folder, make
        self._stopped = threading.Event()
        self._place = TemporaryDirectory(prefix="relaxbench-", ignore_cleanup_errors=True)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._place.cleanup()

    def _follow(self) -> None:
        """Look at the folder all the time, and make a page in a thread of its own when it has changed."""
        made: tuple[int, ...] = ()
        maker = None
        while not self._stopped.is_set():
            begin = time.monotonic()
            state, self.progress = look(self._folder)
            took = time.monotonic() - begin
            if state != made and not (maker and maker.is_alive()):
                made, maker = state, threading.Thread(target=self._renew, daemon=True)
                maker.start()
            self._stopped.wait(max(LOOK_EVERY, 10 * took))  # a second for 20,000 cells

    def _renew(self) -> None:
        """Make the page in a new folder, show it in place of the one before, and rest."""
        version, begin = self.shown.version + 1, time.monotonic()
        place = Path(self._place.name) / str(version)
        try:
            index = self._make(place)
            paths = [path for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
            files = {path.relative_to(place).as_posix(): path for path in paths}
            self.shown = Shown(version, files, index.read_text(encoding="utf-8"))
        except ReportError as error:
            if not self.shown.files:  # no cell has ended yet
                page = WAITING.format(reason=html.escape(printable(str(error))))
                self.shown = Shown(version, {}, page)
        except Exception as error:  # the next record may mend it, and the page before is still there
            if not self._stopped.is_set():
                print(f"relaxbench: the page was not made again: {printable(str(error))}", file=sys.stderr)
        shutil.rmtree(place.with_name(str(version - 2)), ignore_errors=True)
        self._stopped.wait(max(LEAST_REST, time.monotonic() - begin))


def look(folder: Path) -> tuple[tuple[int, ...], str]:
    """Look at a run's folder.

    Args:
        folder: a run's folder.

    Returns:
        Numbers that change when the folder does, and how many cells of the plan have ended, in words.
    """
    ended, latest = set(), 0
    for name in ("plan.json", "environment.json", "results.parquet"):
        latest = max(latest, _changed(folder / name))
    try:
        entries = list(os.scandir(folder / "cells"))
    except OSError:
        entries = []
    for entry in entries:
        if when := _changed(Path(entry.path) / "record.json"):
            ended.add(entry.name)
            latest = max(latest, when)
    try:
        plan = {str(row["cell"]) for row in read_plan(folder)}
    except RelaxbenchError:
        plan = set()
    words = f"{len(plan & ended)} of {len(plan)} cells of the plan have ended" if plan else "There is no plan yet"
    return (len(ended), len(plan), latest), words


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def followed(page: str, version: int, progress: str) -> str:
    """A page with a line on top that says how far the run is, and the script that keeps it up to date.

    Args:
        page: the page, with a content policy.
        version: which page this is.
        progress: how far the run is.

    Returns:
        The page; the script is named in its policy, and may ask this server alone.
    """
    script = (Path(__file__).parent / "page" / "templates" / "live.js").read_text(encoding="utf-8")
    page = page.replace("script-src ", f"connect-src 'self'; script-src {in_policy(script)} ", 1)
    words = html.escape(progress)
    line = f'<aside id="live" aria-label="Progress of the run" data-version="{version}">{words}.</aside>'
    head, body, rest = page.partition("<body>")
    rest, end, tail = rest.rpartition("</body>")
    return f"{head}{body}\n{line}\n{rest}<script>{script}</script>\n{end}{tail}"


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the files of the report, and for the progress; nothing else."""

    server_version, sys_version = "relaxbench", ""
    timeout = 30
    live: Live

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _refuse(self) -> None:
        self.send_response(HTTPStatus.METHOD_NOT_ALLOWED)
        self.send_header("Allow", "GET, HEAD")
        self._end(b"", "text/plain")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse

    def _answer(self, *, with_body: bool) -> None:
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in {f"{name}:{port}" for name in (HOST, "localhost")}:
            self.send_error(HTTPStatus.FORBIDDEN, f"The host must be {HOST} or localhost")
            return
        found = self._content(unquote(urlsplit(self.path).path))
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content, kind = found
        self.send_response(HTTPStatus.OK)
        if kind != "text/html":
            self.send_header("Content-Security-Policy", f"{POLICY}; sandbox")
        self._end(content, kind, with_body=with_body)

    def _content(self, path: str) -> tuple[bytes, str] | None:
        """What is at this path and of which kind: only the files that the report has, whatever the path says."""
        shown = self.live.shown
        if path in ("/", "/index.html"):
            return followed(shown.page, shown.version, self.live.progress).encode(), "text/html"
        if path == "/progress.json":
            return json.dumps({"version": shown.version, "progress": f"{self.live.progress}."}).encode(), TYPES[".json"]
        file = shown.files.get(path.removeprefix("/"))
        try:
            return None if file is None else (file.read_bytes(), TYPES.get(file.suffix, "text/plain"))
        except OSError:  # of a page that has just been replaced
            return None

    def _end(self, content: bytes, kind: str, *, with_body: bool = True) -> None:
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing of each request."""


def server_of(live: Live, port: int) -> ThreadingHTTPServer:
    """A server of this page on the loopback alone.

    Args:
        live: the page.
        port: its port; 0 for any that is free.

    Returns:
        The server, bound, not yet serving.

    Raises:
        ReportError: the port is taken, or may not be used.
    """
    handler = type("Handler", (_Handler,), {"live": live})
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise ReportError(f"--port must be free. Got {port} ({error.strerror}): take another, or 0 for any.") from None


def serve(folder: Path, make: Callable[[Path], Path], port: int) -> None:
    """Show the page of a run's folder on this machine until Ctrl-C.

    Args:
        folder: the folder of a run, which may still go on.
        make: makes the report in a folder that it is given; returns the path of index.html.
        port: the port; 0 for any that is free.

    Raises:
        ReportError: no folder, or a port that cannot be had.
    """
    if not folder.is_dir():
        raise ReportError(f"--serve shows the folder of a run. Got {folder}, which is no folder, instead.")
    live = Live(folder, make)
    with server_of(live, port) as server:
        if hasattr(os, "nice"):
            os.nice(NICE)
        with live:
            print(f"http://{HOST}:{server.server_address[1]}/ shows {folder} until Ctrl-C", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print("stopped")
