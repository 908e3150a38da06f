"""The API's documentation as one plain page, without scripts and without anything from outside."""

import json
from typing import Any

from ui import api_texts as texts
from ui.escape import escape

_EXAMPLES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "model": "yiwen",
        "messages": [{"role": "user", "content": "医疗机构部署大模型的数量是多少？"}],
    },
    "/api/ask": {"question": "医疗机构部署大模型的数量是多少？"},
    "/api/search": {"question": "医疗机构部署大模型的数量是多少？", "top_k": 3},
}
_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 4rem;
  font: 16px/1.7 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2.5rem 0 .3rem; }
h3 { font-size: .9rem; margin: 1rem 0 0; }
h2 b { color: light-dark(#0f766e, #5eead4); } p { margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
td:nth-child(2) { max-width: 22rem; overflow-wrap: anywhere; font-size: .875rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid light-dark(#d4d4d8, #3f3f46); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .8rem; border-radius: .5rem;
  background: light-dark(#f4f4f5, #27272a); } code, pre { font-size: .875rem; }
@media (max-width: 40rem) {
  thead { display: none; } td { display: block; border: 0; padding: 0; }
  tr { display: block; padding: .4rem 0; border-bottom: 1px solid light-dark(#d4d4d8, #3f3f46); }
}
"""


def page_html(document: dict[str, Any], address: str) -> str:
    """The page that shows an OpenAPI document; ``address`` is where its reader finds us."""
    with_keys = "security" in document
    schemas = document["components"]["schemas"]
    parts = [
        f"<h1>{escape(texts.PAGE_TITLE)}</h1><p>{escape(texts.PAGE_INTRO)}</p>",
        f"<p>{escape(texts.PAGE_KEY_NEEDED if with_keys else texts.PAGE_KEY_FREE)}</p>",
        f'<p><a href="/api/openapi.json">{escape(texts.PAGE_DOCUMENT)}</a></p>',
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            curl = _curl(address + path, method, with_keys)
            parts.append(_operation(path, method, operation, schemas, curl))
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(texts.PAGE_TITLE)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _operation(
    path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any], curl: str
) -> str:
    parts = [
        f"<section><h2><b>{escape(method.upper())}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</h2><p>{escape(operation.get('description', ''))}</p>"
    ]
    if "requestBody" in operation:
        parts.append(
            _fields(texts.PAGE_REQUEST, _schema(operation["requestBody"], schemas), schemas)
        )
        answer = _schema(operation["responses"]["200"], schemas)
        parts.append(_fields(texts.PAGE_ANSWER, answer, schemas))
    parts.append(f"<pre>{escape(curl)}</pre></section>")
    return "".join(parts)


def _schema(body: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return _named(body["content"]["application/json"]["schema"]["$ref"], schemas)


def _named(reference: str, schemas: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = schemas[reference.rsplit("/", 1)[1]]
    return schema


def _fields(title: str, schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    required = schema.get("required", ()) if title == texts.PAGE_REQUEST else ()
    rows = []
    for name, field in schema["properties"].items():
        meaning = field.get("description", "")
        if name in required:
            meaning = f"{texts.PAGE_REQUIRED}。{meaning}"
        rows.append(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(field, schemas))}</td>"
            f"<td>{escape(meaning)}</td></tr>"
        )
    heads = "".join(
        f'<th scope="col">{escape(head)}</th>'
        for head in (texts.PAGE_NAME, texts.PAGE_KIND, texts.PAGE_MEANING)
    )
    return f"<h3>{escape(title)}</h3><table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _kind(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    """A field's type in JSON's words, an object by the names of its fields."""
    if "anyOf" in field:
        kinds = [_kind(one, schemas) for one in field["anyOf"] if one.get("type") != "null"]
        return " | ".join(kinds)
    if "$ref" in field:
        schema = _named(field["$ref"], schemas)
        if "enum" in schema:
            return " | ".join(schema["enum"])
        return f"{{{', '.join(schema['properties'])}}}"
    if field.get("type") == "array":
        return f"[{_kind(field.get('items', {}), schemas)}]"
    return str(field.get("type", ""))


def _curl(url: str, method: str, with_keys: bool) -> str:
    lines = [f"curl {url.replace('{model}', 'yiwen')}"]
    if with_keys:
        lines.append('-H "Authorization: Bearer $YIWEN_API_KEY"')
    if method == "post":
        example = next(body for path, body in _EXAMPLES.items() if url.endswith(path))
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps(example, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)
