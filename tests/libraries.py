"""A small library for tests: two corpus documents, the hashed encoder, a real index."""

import io
from pathlib import Path
from typing import Any

from evaluation_sets import E5LikeEncoder, settings_in
from made_files import pdf

from rag.assistant import Assistant
from rag.library.indexing import indexer_of
from rag.library.library import Library, LibraryDocument

GUIDE = "# 静脉输液常规\n\n输液开始后15~30分钟内观察反应。滴速每分钟40~60滴，老年人酌减。\n"
POLICY = "# 探视规定\n\n骨科病房每天15点到17点可以探视，每次不超过2人。\n"
LEAFLET = "# 阿莫西林说明书\n\n成人每次0.5克，每日3次，疗程7天。青霉素过敏者禁用。\n"


class Served:
    """An assistant over one index and the library beside it, as `rag serve` makes them."""

    def __init__(self, folder: Path, *, max_file_megabytes: float = 100) -> None:
        self.corpus = folder / "corpus"
        self.corpus.mkdir(exist_ok=True)
        for name, text in (("guide.md", GUIDE), ("policy.md", POLICY)):
            (self.corpus / name).write_text(text, encoding="utf-8")
        self.settings = settings_in(
            folder,
            index={
                "directory": folder / "index",
                "corpus": [self.corpus],
                "max_file_megabytes": max_file_megabytes,
            },
            library={"directory": folder / "library"},
        )
        self.encoder = E5LikeEncoder()
        indexer_of(self.settings, self.encoder, None).update([self.corpus])
        self.assistant = Assistant.from_settings(self.settings, encoder=self.encoder)
        self.library = self.again()

    def again(self) -> Library:
        """Another library on the same folders, as after a restart."""
        return Library.from_settings(
            self.settings, encoder=self.encoder, index=lambda: self.assistant.index
        )

    def add(self, name: str, text: str | bytes, collection: str = "", **options: Any) -> str:
        """Upload a file and wait until it is indexed."""
        content = text.encode() if isinstance(text, str) else text
        file = self.library.add(collection, name, io.BytesIO(content), **options)
        assert self.library.wait(60)
        return file

    def row(self, title: str) -> LibraryDocument:
        (found,) = [row for row in self.library.documents() if title in row.title]
        return found


def two_pages() -> bytes:
    """A PDF of two pages."""
    first = [(72, 700, 18, "护理手册"), (72, 660, 12, "输液前核对医嘱，每瓶贴标签。")]
    return pdf([first, [(72, 700, 12, "第二页说明交接班的要求，须双人签字。")]])
