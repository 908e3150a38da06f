"""The page of the library: our own HTML, scripts and styles, and no framework's.

It comes empty; `assets/library.js` fills it. No script and no style stands in it, its strings
travel in an attribute of ``<main>``.
"""

import hashlib
import json
from pathlib import Path

from ui import language
from ui import texts_library as texts
from ui.escape import escape
from ui.language import Text

ASSETS = Path(__file__).parent / "assets"
# After the parts, which run at once: the colours must be there before the page is.
_DEFERRED = ("library-preview.js", "library-uploads.js", "library.js")
_MEGABYTE = 1024 * 1024


def page_html(max_bytes: int) -> str:
    """The page; ``max_bytes`` is the largest file that is taken."""

    def say(text: Text, **values: object) -> str:
        return escape(language.say(text, **values))

    words = escape(json.dumps(language.say_all(texts.WORDS), ensure_ascii=False))
    size = f"{max_bytes / _MEGABYTE:g} MB"
    scripts = "".join(f'<script src="{_asset(name)}" defer></script>' for name in _DEFERRED)
    heads = "".join(f'<th scope="col">{say(head)}</th>' for head in texts.HEADS)
    return f"""<!doctype html>
<html lang="{language.language()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{say(texts.TITLE)} · {say(texts.PRODUCT)}</title>
<link rel="icon" href="/yiwen/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{_asset("chat.css")}">
<link rel="stylesheet" href="{_asset("library.css")}">
<script src="{_asset("library-parts.js")}"></script>
{scripts}
</head>
<body class="library">
<header class="library-top"><div class="library-inner">
  <p class="library-name"><span class="library-logo" aria-hidden="true">问</span>{say(texts.PRODUCT)}</p>
  <a class="library-back" href="/">{say(texts.BACK)}</a>
</div></header>
<main class="library-page" data-words="{words}" data-most="{max_bytes}">
  <h1>{say(texts.HEADING)}</h1>
  <p class="library-lead">{say(texts.LEAD)}</p>
  <noscript><p class="library-error">{say(texts.NO_SCRIPT)}</p></noscript>
  <div class="library-two">
    <section class="library-card" aria-labelledby="upload-title" data-changes>
      <h2 id="upload-title">{say(texts.UPLOAD)}</h2>
      <div class="drop">
        <p>{say(texts.DROP)}<button type="button" class="choose">{say(texts.CHOOSE)}</button></p>
        <input type="file" multiple hidden class="picker" aria-label="{say(texts.CHOOSE)}">
        <p class="small">{say(texts.TYPES, size=size)}</p>
      </div>
      <div class="upload-options">
        <label>{say(texts.COLLECTION)}<input class="collection" list="collections"
          maxlength="60" autocomplete="off" placeholder="{say(texts.COLLECTION_HINT)}"></label>
        <datalist id="collections"></datalist>
        <label class="check"><input type="checkbox" class="replace-same">{say(texts.REPLACE_SAME)}</label>
      </div>
      <ul class="uploads" aria-label="{say(texts.UPLOADS)}"></ul>
    </section>
    <section class="library-card" aria-labelledby="search-title">
      <h2 id="search-title">{say(texts.SEARCH)}</h2>
      <form class="search" role="search">
        <input type="search" class="question" aria-label="{say(texts.SEARCH_LABEL)}" maxlength="2000"
          autocomplete="off" placeholder="{say(texts.SEARCH_PLACEHOLDER)}">
        <button type="submit" class="strong">{say(texts.SEARCH_BUTTON)}</button>
      </form>
      <p class="small search-line" role="status"></p>
      <ol class="passages" aria-label="{say(texts.SEARCH_RESULTS)}"></ol>
    </section>
  </div>
  <section class="library-card" aria-labelledby="documents-title">
    <div class="documents-head">
      <h2 id="documents-title">{say(texts.DOCUMENTS)}</h2>
      <p class="small count" role="status"></p>
      <button type="button" class="refresh" data-changes>{say(texts.REFRESH)}</button>
      <input type="search" class="filter" autocomplete="off" aria-label="{say(texts.FILTER)}"
        placeholder="{say(texts.FILTER)}">
    </div>
    <p class="work" role="status"></p>
    <table class="documents"><thead><tr>{heads}</tr></thead><tbody></tbody></table>
    <p class="nothing" hidden></p>
    <button type="button" class="more-rows" hidden></button>
  </section>
  <p class="hidden-status" role="status" aria-live="polite"></p>
</main>
<dialog class="preview-page" aria-labelledby="preview-title">
  <div class="preview-head">
    <h2 id="preview-title">{say(texts.PREVIEW)}</h2>
    <button type="button" class="close">{say(texts.CLOSE)}</button>
  </div>
  <div class="preview-steps">
    <button type="button" class="previous">{say(texts.PREVIOUS)}</button>
    <p class="place" role="status"></p>
    <button type="button" class="next">{say(texts.NEXT)}</button>
  </div>
  <div class="preview-image" tabindex="0" role="group" aria-label="{say(texts.PREVIEW)}"></div>
</dialog>
<input type="file" hidden class="replacement" aria-label="{say(texts.CHOOSE)}">
</body>
</html>
"""


def _asset(name: str) -> str:
    """An asset's address, with a version so that a browser never keeps an old one."""
    version = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]
    return f"/yiwen/{name}?v={version}"
