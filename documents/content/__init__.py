"""The text of a revision: a tree of blocks, the same for the editor, the page, print and search.

The tree is the JSON of the editor (ProseMirror). `schema` says what may be in it, `markdown` reads
and writes it as people type it without a script, `html` draws it.
"""

from documents.content.html import as_html, as_text
from documents.content.markdown import from_markdown, to_markdown
from documents.content.schema import (
    EMPTY,
    blocks_of,
    check,
    documents_in,
    is_empty,
    pictures_in,
    without_title,
)

__all__ = [
    "EMPTY",
    "as_html",
    "as_text",
    "blocks_of",
    "check",
    "documents_in",
    "from_markdown",
    "is_empty",
    "pictures_in",
    "to_markdown",
    "without_title",
]
