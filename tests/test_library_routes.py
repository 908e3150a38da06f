"""The library over HTTP: each file its own result, nothing from elsewhere, nothing by its path."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from libraries import LEAFLET, Served, two_pages
from starlette.testclient import TestClient

from ui import texts_library as texts
from ui.app import build_app
from ui.guard import STRICT_POLICY
from ui.library_page import page_html

HOST = "http://127.0.0.1:7860"


class Site:
    """The whole application with a library of at most one megabyte a file."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder, max_file_megabytes=1)
        self.app = build_app(self.served.assistant, library=self.served.library)
        self.client = TestClient(self.app, base_url=HOST)

    def upload(self, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
        sent = [("file", (name, content)) for name, content in files]
        response = self.client.post("/library/upload", files=sent, data=fields)
        assert response.status_code == 200, response.text
        assert self.served.library.wait(60)
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    def documents(self) -> dict[str, dict[str, Any]]:
        rows = self.client.get("/library/list").json()["documents"]
        return {row["title"]: row for row in rows}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with site.client:
        yield site


def test_the_page_runs_no_script_but_its_files(site: Site) -> None:
    response = site.client.get("/library")
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == STRICT_POLICY
    for never in ("<script>", "onclick", "style="):
        assert never not in response.text
    assert texts.HEADING in response.text
    assert 'href="/library"' in site.client.get("/").text.replace("\\u003d", "=").replace(
        '\\"', '"'
    )


def test_each_file_has_its_own_result(site: Site) -> None:
    results = site.upload(
        ("阿莫西林.md", LEAFLET.encode()),
        ("程序.exe", b"MZ"),
        ("空.md", b""),
        ("../逃.md", b"x"),
        collection="药品说明书",
    )
    assert results[0] == {"name": "阿莫西林.md", "file": "药品说明书/阿莫西林.md"}
    for result in results[1:3]:
        assert result["error"]["code"] == "file_refused"
        assert result["error"]["message"]
    rows = site.documents()
    assert rows["阿莫西林说明书"]["status"] == "indexed"
    assert not (site.served.settings.library.directory.parent / "逃.md").exists()


def test_a_name_sent_as_a_field_is_kept_to_the_character(site: Site) -> None:
    (result,) = site.upload(("引%22号.md", LEAFLET.encode()), name='引"号.md')
    assert result == {"name": '引"号.md', "file": '引"号.md'}
    (result,) = site.upload(("好.md", LEAFLET.encode()), name="../逃.md")
    assert result["error"]["code"] == "file_refused"


def test_a_taken_name_is_told_and_replaced_when_asked(site: Site) -> None:
    site.upload(("阿莫西林.md", LEAFLET.encode()))
    (again,) = site.upload(("阿莫西林.md", b"# new"))
    assert again["error"]["code"] == "name_taken"
    (replaced,) = site.upload(("阿莫西林.md", b"# \xe6\x96\xb0"), replace="true")
    assert replaced["file"] == "阿莫西林.md"
    target = {"target": "阿莫西林.md"}
    content = {"file": ("别名.md", LEAFLET.encode())}
    assert site.client.post("/library/replace", data=target, files=content).status_code == 200
    assert site.served.library.wait(60)
    assert site.documents()["阿莫西林说明书"]["status"] == "indexed"


def test_a_deleted_document_is_gone_and_a_read_only_one_stays(site: Site) -> None:
    site.upload(("阿莫西林.md", LEAFLET.encode()))
    assert site.client.post("/library/delete", json={"file": "阿莫西林.md"}).status_code == 200
    assert site.served.library.wait(60)
    assert "阿莫西林说明书" not in site.documents()
    refused = site.client.post("/library/delete", json={"file": "guide.md"})
    assert refused.status_code == 404
    assert (site.served.corpus / "guide.md").exists()


def test_a_search_gives_passages_without_a_model(site: Site) -> None:
    found = site.client.post("/library/search", json={"question": "骨科几点可以探视"}).json()
    (first, *_) = found["passages"]
    assert first["title"] == "探视规定"
    assert "15点到17点" in first["text"]


def test_a_page_is_found_by_the_index_and_never_by_a_path(site: Site) -> None:
    site.upload(("手册.pdf", two_pages()), collection="护理")
    (row,) = [row for row in site.documents().values() if row["has_page_images"]]
    image = site.client.get(f"/library/documents/{row['id']}/page/1.png")
    assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
    for path in ("/etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "corpus/guide.md"):
        assert site.client.get(f"/library/documents/{path}/page/1.png").status_code == 404


def test_another_site_changes_nothing(site: Site) -> None:
    site.upload(("阿莫西林.md", LEAFLET.encode()))
    headers = {"origin": "http://evil.example"}
    for path in ("upload", "replace", "delete", "update", "search"):
        response = site.client.post(
            f"/library/{path}", json={"file": "阿莫西林.md"}, headers=headers
        )
        assert response.status_code == 403, path
    assert "阿莫西林说明书" in site.documents()


def test_only_uploads_may_be_large(site: Site) -> None:
    large = b"x" * (600 * 1024)
    assert site.client.post("/library/delete", content=large).status_code == 413
    (result,) = site.upload(("大.md", "字".encode() * (200 * 1024)))
    assert result["file"] == "大.md"
    huge = {"file": ("巨.md", b"x" * (3 * 1024 * 1024))}
    response = site.client.post("/library/upload", files=huge)
    assert response.status_code == 413
    assert "max_file_megabytes" in json.dumps(response.json(), ensure_ascii=False)


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"{}"])
def test_what_is_no_upload_is_one_clear_line(site: Site, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = site.client.post("/library/upload", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["remedy"].startswith("请")


def test_who_may_not_change_may_look(tmp_path: Path) -> None:
    from fastapi import FastAPI

    from ui.library_routes import mount_library
    from ui.runs import Seats

    served = Served(tmp_path)
    app = FastAPI()
    mount_library(
        app, served.library, served.assistant, seats=Seats(1, 1), may_change=lambda _: None
    )
    client = TestClient(app, base_url=HOST)
    assert client.get("/library/list").json()["may_change"] is False
    for path in ("upload", "replace", "delete", "update"):
        response = client.post(f"/library/{path}", json={"file": "a.md"})
        assert response.json()["error"]["code"] == "not_allowed", path


def test_the_words_of_the_page_reach_its_script_whole() -> None:
    class Main(HTMLParser):
        words = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "main":
                self.words = dict(attrs)["data-words"] or ""

    parser = Main()
    parser.feed(page_html(1024 * 1024))
    assert json.loads(parser.words) == texts.WORDS


def test_the_page_is_in_english_where_the_browser_asks_for_it(site: Site) -> None:
    english = site.client.get("/library", headers={"accept-language": "en-US,en;q=0.9"}).text
    assert not re.search("[\u4e00-\u9fff]", english.replace(">问<", "><"))
    assert '<html lang="en">' in english
    assert '<html lang="zh-CN">' in site.client.get("/library").text
