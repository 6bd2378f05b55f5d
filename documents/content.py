"""The text of a revision: Markdown as people write it, clean HTML as it is shown and printed."""

from markdown_it import MarkdownIt

from qms.pdf import clean_html

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def as_html(body: str) -> str:
    """Clean HTML of a Markdown text; raw HTML in it is shown as text, never run."""
    return clean_html(_markdown.render(body))
