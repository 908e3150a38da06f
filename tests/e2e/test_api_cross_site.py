"""A page of another origin, in a real browser, tries to ask the API in the visitor's name."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from api_server import served
from playwright.sync_api import Browser
from scripted import ScriptedAssistant

# Each way a page may send a request without asking first, then one with a preflight.
TRIES = """async (url) => {
  const body = JSON.stringify({question: "几家？", messages: [{role: "user", content: "几家？"}]});
  const results = [];
  for (const path of ["/v1/chat/completions", "/api/ask", "/api/search"]) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
      for (const mode of ["no-cors", "cors"]) {
        try {
          const options = {method: "POST", mode, body, headers: {"Content-Type": type}};
          const reply = await fetch(url + path, options);
          results.push(reply.type + reply.status);
        } catch (error) { results.push("refused"); }
      }
    }
  }
  try { await fetch(url + "/v1/models"); results.push("read"); }
  catch (error) { results.push("refused"); }
  return results;
}"""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of another origin's empty page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>stranger</title>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_another_origins_page_reads_nothing_and_asks_nothing(
    browser: Browser, stranger: str
) -> None:
    assistant = ScriptedAssistant({})
    with served(assistant) as url:
        page = browser.new_page()
        page.goto(stranger)
        results = page.evaluate(TRIES, url)
        # An opaque reply says nothing, not even its status.
        assert set(results) <= {"refused", "opaque0"}
        assert len(results) == 19
        page.set_content(
            f'<form method="post" action="{url}/api/ask" enctype="text/plain">'
            '<input name=\'{"question": "几家？", "x": "\' value=\'"}\'></form>'
        )
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")
        assert "foreign_origin" in page.content()
        page.close()
    assert assistant.asked == []
