"""The library of documents, below ``/library``.

::

    GET  /library                                  the page (`ui.library_page`)
    GET  /library/list                             every document, and what is being done
    GET  /library/status                           what is being done; ``changes`` tells of news
    POST /library/upload    multipart: file…, name…, collection, replace    each file its own result
    POST /library/replace   multipart: file, target                  new content for one file
    POST /library/delete    {"file"}
    POST /library/update    {}                     look at every file again
    POST /library/search    {"question", "collections", "top_k"}     passages, without a model
    GET  /library/documents/{id}/page/{number}.png

Files are named by their path below the library, which is checked anew each time; a page's file is
the one that the index names. The gate has refused other sites before.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from rag.library.faults import DocumentMissing, FileRefused, LibraryError, NameTaken
from rag.library.library import Library, LibraryDocument, Status
from rag.library.worker import Work
from rag.wire import hit_to_json
from ui import texts_library as texts
from ui.api_access import Authorize, Person
from ui.api_answers import NativeErrorBody
from ui.api_errors import ApiError, native_body, new_app, respond
from ui.guard import STRICT_POLICY
from ui.language import say
from ui.library_page import page_html
from ui.runs import Run, Seats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rag.types import Hit

SERVED_PATHS = ("/library", "/library/*")
_UPLOADS = ("/library/upload", "/library/replace")
_MOST_FILES = 50
_ENVELOPE_BYTES = 1024 * 1024  # of a multipart body, beside its files
_NO_STORE = {"Cache-Control": "no-store"}
# The first class that fits decides.
_STATUS: tuple[tuple[type[LibraryError], int, str], ...] = (
    (FileRefused, 400, "file_refused"),
    (NameTaken, 409, "name_taken"),
    (DocumentMissing, 404, "not_found"),
    (LibraryError, 507, "not_stored"),
)


class SearchAssistant(Protocol):
    """What the page's search asks."""

    def search(
        self,
        question: str,
        /,
        *,
        top_k: int | None = None,
        collections: Collection[str] | None = None,
    ) -> "Sequence[Hit]": ...


class Deletion(BaseModel):
    file: str = Field(max_length=1000)


class Searched(BaseModel):
    question: str = Field(max_length=20_000)
    collections: list[str] | None = None
    top_k: int = Field(10, ge=1, le=50)


def anybody(_: Request) -> Person:
    """Whoever sees the page may change the library, until there is sign-in."""
    return Person("page")


def body_limits(library: Library) -> dict[str, int]:
    """What the gate lets through on the paths of uploads, in bytes."""
    return dict.fromkeys(_UPLOADS, library.max_bytes + _ENVELOPE_BYTES)


def mount_library(
    app: FastAPI,
    library: Library,
    assistant: SearchAssistant,
    *,
    seats: Seats,
    may_change: Authorize = anybody,
) -> None:
    """Add the page and its routes to ``app``.

    Args:
        seats: shared with questions, so that searches do not crowd them out.
        may_change: who may upload, replace and delete; None for nobody.
    """

    @app.get("/library", include_in_schema=False)
    def page() -> Response:
        return HTMLResponse(
            page_html(library.max_bytes),
            headers={
                **_NO_STORE,
                "Content-Security-Policy": STRICT_POLICY,
                "Vary": "Accept-Language",
            },
        )

    app.mount("/library", library_app(library, assistant, seats=seats, may_change=may_change))


def library_app(
    library: Library,
    assistant: SearchAssistant,
    *,
    seats: Seats,
    may_change: Authorize = anybody,
) -> FastAPI:
    """The routes below ``/library``; see `mount_library`."""
    app = new_app(texts.TITLE, NativeErrorBody)

    def admit(request: Request) -> None:
        if may_change(request) is None:
            raise ApiError(403, "not_allowed", say(texts.NOT_ALLOWED))

    @app.get("/list")
    def documents(request: Request) -> Response:
        # Taken first: what changes while the list is made up is told once more.
        work = library.work()
        return _json(
            {
                "documents": [_document_json(row) for row in library.documents()],
                "work": _work_json(work),
                "may_change": may_change(request) is not None,
            }
        )

    @app.get("/status")
    def status() -> Response:
        return _json({"work": _work_json(library.work())})

    @app.post("/upload")
    async def upload(request: Request) -> Response:
        admit(request)
        async with _form(request) as form:
            collection = _field(form, "collection")
            replace = _field(form, "replace") == "true"
            results = []
            for name, file in _files(form):
                try:
                    keep = partial(library.add, collection, name, file.file, replace=replace)
                    kept = await run_sync(keep)
                except LibraryError as error:
                    results.append({"name": name, **native_body(_from_error(error))})
                else:
                    results.append({"name": name, "file": kept})
        return _json({"results": results})

    @app.post("/replace")
    async def replace(request: Request) -> Response:
        admit(request)
        async with _form(request) as form:
            target = _field(form, "target")
            name, file = _files(form)[0]
            await run_sync(library.replace, target, name, file.file)
        return _json({"file": target})

    @app.post("/delete")
    def delete(request: Request, wanted: Deletion) -> Response:
        admit(request)
        library.delete(wanted.file)
        return _json({})

    @app.post("/update")
    def update(request: Request) -> Response:
        admit(request)
        library.update()
        return _json({})

    @app.post("/search")
    async def search(request: Request, wanted: Searched) -> Response:
        def found() -> "Iterator[list[dict[str, Any]]]":
            hits = assistant.search(
                wanted.question, top_k=wanted.top_k, collections=wanted.collections
            )
            yield [hit_to_json(hit) for hit in hits]

        return _json({"passages": await Run(seats, found).last(request)})

    @app.get("/documents/{document:path}/page/{number}.png")
    def page_image(document: str, number: int) -> Response:
        image = library.page_image(document, number)
        return Response(image, media_type="image/png", headers=_NO_STORE)

    def refused(request: Request, error: Exception) -> Response:
        return respond(request.url.path, _from_error(error))

    app.add_exception_handler(LibraryError, refused)
    return app


@asynccontextmanager
async def _form(request: Request) -> "AsyncIterator[FormData]":
    """The request's multipart body; its files are spooled to disk, and removed on leaving.

    Raises:
        ApiError: it is none, was cut off, or there is no room for it.
    """
    try:
        form = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES + 10)
    except HTTPException as error:
        raise ApiError(400, "bad_upload", say(texts.BAD_UPLOAD)) from error
    except ClientDisconnect as error:
        raise ApiError(499, "client_closed_request", say(texts.BAD_UPLOAD)) from error
    except OSError as error:
        message = say(texts.NO_ROOM, reason=error.strerror)
        raise ApiError(507, "not_stored", message) from error
    try:
        yield form
    finally:
        await form.close()


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _files(form: FormData) -> list[tuple[str, UploadFile]]:
    """The files with their names: a browser rewrites a quotation mark in a part's own file name
    (%22), so the page sends each name once more as a field."""
    files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
    if not files:
        raise ApiError(400, "no_file", say(texts.NO_FILE))
    names = [value for value in form.getlist("name") if isinstance(value, str)]
    if len(names) != len(files):
        names = [file.filename or "" for file in files]
    return list(zip(names, files, strict=True))


def _from_error(error: Exception) -> ApiError:
    status, code = next((s, c) for kind, s, c in _STATUS if isinstance(error, kind))
    return ApiError(status, code, str(error))


def _json(values: dict[str, Any]) -> Response:
    return JSONResponse(values, headers=_NO_STORE)


def _document_json(row: LibraryDocument) -> dict[str, Any]:
    return {
        "id": row.id,
        "file": row.file,
        "title": row.title,
        "collection": row.collection,
        "date": row.date,
        "source": row.source,
        "pages": row.pages,
        "passages": row.passages,
        "size": row.size,
        "status": row.status.value,
        "reason": row.reason,
        "is_read_only": not row.file and row.status is not Status.REMOVING,
        "has_page_images": row.has_page_images,
        "version": row.version,
    }


def _work_json(work: Work) -> dict[str, Any]:
    return {
        "is_running": work.is_running,
        "text": work.text,
        "done": work.done,
        "total": work.total,
        "waiting": len(work.pending),
        "error": work.error,
        "changes": work.changes,
    }
