"""The servers that `screenshots` takes pictures of: a real page over answers that were written down."""

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from screenshot_answers import (
    DIGEST,
    DOSE,
    FEVER,
    INFUSION,
    LEAFLET,
    NEW_RULES,
    SPEED,
    WASHING,
    Scripted,
    follow_ups,
    stand_alone,
)


@dataclass(frozen=True)
class House:
    """What a server is started with."""

    concurrency: int = 4
    locale: str = "zh-CN"
    is_filed: bool = False
    is_damaged: bool = False
    has_library: bool = False


@contextmanager
def served(assistant: Scripted, house: House) -> Iterator[str]:
    import uvicorn

    from rag.conversations.database import FILE
    from ui.app import build_app
    from ui.chat_desk import Abilities, ComplianceNotice

    filed = ComplianceNotice("示例模型", "示例备案号-0001") if house.is_filed else None

    with tempfile.TemporaryDirectory() as data, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if house.is_damaged:
            (Path(data) / FILE).write_bytes(b"\0" * 4096)
        app = build_app(
            assistant,
            concurrency=house.concurrency,
            data=Path(data),
            library=library(assistant, Path(data)) if house.has_library else None,
            abilities=Abilities(
                stand_alone=stand_alone,
                follow_ups=follow_ups,
                collections=lambda: ("护理", "药品说明书", "制度"),
                digest=lambda: DIGEST,
            ),
            compliance=filed,
            examples=(SPEED, WASHING, DOSE, FEVER),
        )
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def library(assistant: Scripted, folder: Path) -> Any:
    """The tests' small library, with our documents in it; the assistant searches there."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from libraries import Served  # type: ignore[import-not-found]
    from made_files import pdf, set_paragraph  # type: ignore[import-not-found]

    house = Served(folder)
    # The answers name the PDF by its path: 护理 is the folder of uploads here.
    directory = folder / Path(INFUSION.id).parent
    uploads = house.settings.library.model_copy(update={"directory": directory})
    house.settings = house.settings.model_copy(update={"library": uploads})
    house.library = house.again()
    pages = []
    for text in ("静脉输液护理常规\n（示例医院护理部）", INFUSION.text):
        placed, height = [], 740.0
        for line in text.splitlines():
            lines, height = set_paragraph(line, height)
            placed += lines
        pages.append(placed)
    house.add(Path(INFUSION.id).name, pdf(pages))
    house.add("阿莫西林胶囊.md", f"# {LEAFLET.title}\n\n{LEAFLET.text}\n", "药品说明书")
    house.add("手卫生管理规定（2025）.md", f"# {NEW_RULES.title}\n\n{NEW_RULES.text}\n", "制度")
    house.add("扫描件（损坏）.pdf", b"%PDF-1.7 damaged", "制度")
    assistant.search = house.assistant.search  # type: ignore[method-assign]
    return house.library
