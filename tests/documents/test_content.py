"""The text of a revision: only what the schema knows, harmless as HTML, the same as Markdown."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.content import as_html, as_text, check, from_markdown, is_empty, to_markdown
from documents.content.schema import MOST_DEPTH
from qms.refusals import Refused

pytestmark = pytest.mark.clause("7.5.2")

WHOLE = """# Purpose

Buy *well* and **safely**, see [the law](<https://example.com/a>) and `code`.

- one
- two

  still two

1. first
2. second

1) Look.
2) Sign.

> [!WARNING]
> Hot!

> A quotation.

| Grade | Meaning |
| --- | --- |
| A | Best |

---

```
x = 1
```"""


def doc(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "content": list(blocks)}


def paragraph(*inline: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(inline)}


def words(text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"marks": list(marks)} if marks else {})


def test_markdown_comes_back_as_it_was_written() -> None:
    tree = from_markdown(WHOLE)
    assert [each["type"] for each in tree["content"]] == [
        *("heading", "paragraph", "bulletList", "orderedList", "steps", "callout"),
        *("blockquote", "table", "horizontalRule", "codeBlock"),
    ]
    assert to_markdown(tree) == WHOLE
    assert check(tree) == tree


def test_every_block_is_drawn_and_the_first_level_can_be_pointed_at() -> None:
    html = as_html(from_markdown(WHOLE))
    assert '<h2 id="b0">Purpose</h2>' in html
    assert '<ol id="b4" class="steps">' in html
    assert 'class="callout callout-warning"' in html
    assert "<th>" in html and "<td>Best" not in html and "<p>Best</p>" in html
    assert "Hot!" in as_text(from_markdown(WHOLE))


SAFE_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1
)
MARKS = st.lists(st.sampled_from(["bold", "italic", "strike"]), unique=True, max_size=1)
LINES = st.builds(
    lambda text, marks: paragraph(words(text, *({"type": mark} for mark in marks))),
    st.lists(SAFE_WORDS, min_size=1, max_size=4).map(" ".join),
    MARKS,
)
LISTS = st.builds(
    lambda kind, items: {
        "type": kind,
        "content": [{"type": "listItem", "content": [each]} for each in items],
    },
    st.sampled_from(["bulletList", "steps"]),
    st.lists(LINES, min_size=1, max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4), LISTS)
@pytest.mark.slow
def test_no_word_is_lost_on_the_way_to_markdown_and_back(
    lines: list[dict[str, Any]], following: dict[str, Any]
) -> None:
    tree = check(doc(*lines, following))
    again = from_markdown(to_markdown(tree))
    assert "".join(as_text(again).split()) == "".join(as_text(tree).split())
    assert len(again["content"]) == len(tree["content"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.text(max_size=60))
def test_whatever_is_typed_runs_nothing(text: str, href: str) -> None:
    link = {"type": "link", "attrs": {"href": href}}
    typed = words(text.replace("\0", "") or "x", link)
    html = as_html(check(doc(paragraph(typed)))).lower()
    tags = html.replace("&lt;", "").replace("&gt;", "")
    assert "<script" not in tags and "<iframe" not in tags
    assert 'href="javascript' not in html and 'href="data' not in html


@pytest.mark.parametrize(
    "href",
    [
        *("javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example"),
        *("vbscript:x", 'https://a"onmouseover=x', "\\\\server\\share", "/\\evil.example"),
    ],
)
def test_a_link_that_could_do_harm_becomes_plain_words(href: str) -> None:
    tree = check(doc(paragraph(words("here", {"type": "link", "attrs": {"href": href}}))))
    assert tree["content"][0]["content"] == [words("here")]
    html = as_html(from_markdown(f"[here](<{href}>)")).lower()
    assert not any(f'href="{start}' in html for start in ("java", "data", "vbs", "//", "\\"))
    assert '"onmouse' not in html


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "iframe"}, "iframe"),
        ({"type": "paragraph", "content": [{"type": "table"}]}, "table"),
        ({"type": "image", "attrs": {"attachment": "1 or 1=1"}}, "picture"),
        ({"type": "image", "attrs": {"attachment": True}}, "picture"),
        ({"type": "paragraph", "content": "x"}, "not a text"),
        ({"type": "paragraph", "content": [{"type": "text", "text": 5}]}, "not a text"),
    ],
)
def test_what_the_schema_does_not_know_is_refused_in_words(block: Any, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(doc(block))


def test_a_text_built_to_exhaust_us_is_refused() -> None:
    deep: dict[str, Any] = paragraph(words("x"))
    for _ in range(MOST_DEPTH + 5):
        deep = {"type": "blockquote", "content": [deep]}
    with pytest.raises(Refused, match="nested too deeply"):
        check(doc(deep))
    with pytest.raises(Refused, match="too long"):
        check(doc(*[paragraph(words("x" * 1_000))] * 1_001))


def test_unknown_attributes_of_a_paste_are_left_out() -> None:
    pasted = {"type": "paragraph", "attrs": {"style": "x"}, "content": [words("Hi")]}
    assert check(doc(pasted)) == doc(paragraph(words("Hi")))


def test_a_pointer_to_a_document_follows_its_number() -> None:
    tree = from_markdown("See [[QP-01]] and [[QP-99]].", find={"QP-01": 7}.get)
    assert (
        to_markdown(tree, number=lambda pk: f"QP-0{pk - 6}")
        == "See [[QP-01]] and \\[\\[QP-99\\]\\]."
    )
    assert "a document you may not see" in as_html(tree)
    assert '<a class="document-link" href="/documents/7/"' in as_html(
        tree, linked=lambda pk: (f"/documents/{pk}/", "QP-01 Buying")
    )


def test_a_picture_is_shown_where_it_may_be_and_named_where_not() -> None:
    tree = from_markdown("Before ![The gauge](picture:5) after.")
    assert [each["type"] for each in tree["content"]] == ["paragraph", "image", "paragraph"]
    assert "[Picture: The gauge]" in as_html(tree)
    assert '<img src="/files/5/" alt="The gauge"' in as_html(
        tree, picture=lambda pk: f"/files/{pk}/"
    )
    assert "elsewhere" not in as_html(tree, picture=lambda pk: "https://elsewhere.example/x.png")


def test_nothing_to_read_is_empty() -> None:
    assert is_empty(from_markdown(" \n\n"))
    assert not is_empty(from_markdown("x"))
