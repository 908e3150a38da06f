"""Text → HTML that is nothing but that text.

Everything that came from a model, a document or a person passes through here before it is shown.
"""

import html
import re

# Bidirectional controls can show digits in another order than they were written.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escape(text: str) -> str:
    """Text for element content and quoted attributes; invisible direction controls are named."""
    return html.escape(_BIDI.sub(lambda found: f"[U+{ord(found.group()):04X}]", text), quote=True)


def template_escape(text: str) -> str:
    """`escape` for text inside a ``gr.HTML`` template, which is a JavaScript template literal and
    a Handlebars template before it is HTML."""
    escaped = escape(text)
    return re.sub(r"[{}$`\\]", lambda found: f"&#{ord(found.group())};", escaped)
