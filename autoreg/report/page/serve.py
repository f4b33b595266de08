"""The page while a sweep runs: served to this machine's own browser, made again as trials end.

The page asks `version` every two seconds, and loads itself again when that is another one. Nobody else is answered:
the server listens on loopback, its address has a token, and a name that is not loopback's gets nothing, so that no page
of a stranger reaches it through a name of its own.
"""

import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Never

from autoreg.database.connection import reading
from autoreg.database.schema import Connection
from autoreg.errors import DatabaseError
from autoreg.report.page.write import Page, write_page

#: Between two looks at results.db, at least; and so many times as long as reading it took, in which the sweep writes.
SECONDS_BETWEEN_LOOKS, REST = 2.0, 4.0


class PageServer(ThreadingHTTPServer):
    """Serves one page at an address with a token, from a port that is free."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_urlsafe(16)
        self.version, self.changed = "", -1
        self.html = b""

    @property
    def address(self) -> str:
        """The page's."""
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def show(self, page: Page) -> None:
        """Serve another page from now on."""
        self.html, self.version = page.html(live=True).encode(), page.version


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        """Answer the page, or its version."""
        name = (self.headers.get("Host") or "").rpartition(":")[0]
        asked, _, rest = self.path.removeprefix("/").partition("/")
        files = {"": (self.server.html, "text/html"), "version": (self.server.version.encode(), "text/plain")}
        is_known = secrets.compare_digest(asked.encode(), self.server.token.encode()) and rest in files
        if name not in ("127.0.0.1", "localhost") or not is_known:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content, kind = files[rest]
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for header, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the page asks every two seconds."""


def watch_page(database: Path, read: Callable[[Connection], Page], out: Path, tell: Callable[[str], None]) -> Never:
    """Write `report.html` and serve the page, and both again whenever trials have ended, until a KeyboardInterrupt.

    Args:
        database: results.db.
        read: makes a page of a connection to it.
        out: the folder to write to.
        tell: is told the address, and why a page could not be made again; the one before stays then.

    Raises:
        DataError: results.db has no sweep yet, or does not exist.
        DatabaseError: it cannot be read at the start.
    """
    with PageServer() as server:
        _show(server, database, read, out)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            tell(f"{server.address}\nshows {out / 'report.html'} and follows the sweep; Ctrl-C ends it")
            while True:
                started = time.monotonic()
                try:
                    _show(server, database, read, out)
                except DatabaseError as error:
                    tell(f"autoreg: {error}")
                time.sleep(max(SECONDS_BETWEEN_LOOKS, REST * (time.monotonic() - started)))
        finally:
            server.shutdown()


def _show(server: PageServer, database: Path, read: Callable[[Connection], Page], out: Path) -> None:
    """Serve and write the page of what is in results.db now, if that is another one."""
    changed = database.stat().st_mtime_ns if database.exists() else 0
    if changed == server.changed:
        return
    with reading(database) as connection:
        page = read(connection)
    if page.version != server.version:
        server.show(page)
        write_page(page, out)
    server.changed = changed
