"""Mail: two forms of one message, one way to act, no way to break a header, nobody who left."""

from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail as sent
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from qms import mail


def person(**fields: Any) -> Any:
    values = {"pk": 7, "name": "Ana Silva", "email": "ana@example.com", "is_active": True}
    return SimpleNamespace(**(values | {"is_system": False} | fields))


CONTEXT = {
    "subject_line": "PRO-012 waits for your approval",
    "sentence": "Jonas Weber asks you to approve a procedure <b>today</b>.",
    "organisation": "Maple & Sons",
    "act_label": "Review it",
    "facts": [("Document", "Receiving & inspection")],
    "groups": [
        {
            "title": "Overdue",
            "entries": [
                {
                    "text": "NC-2026-0007",
                    "url": "https://q.example/7",
                    "due": "4 days late",
                    "late": True,
                }
            ],
        }
    ],
}


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.PUBLIC_URL = "https://qms.example.com"
    settings.DEFAULT_FROM_EMAIL = "Quality <quality@example.com>"


def composed(context: dict[str, Any] | None = None, **options: Any) -> Any:
    to = options.pop("to", person())
    options = {"key": "approval:12", "act": "/documents/12/", "mute": "/me/mute/1/"} | options
    return mail.compose("notice", CONTEXT | (context or {}), to, **options)


def parsed(message: Any) -> Any:
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def test_a_mail_says_the_same_in_text_and_html_with_one_way_to_act() -> None:
    seen = parsed(composed())
    text = seen.get_body(("plain",)).get_content()
    html = seen.get_body(("html",)).get_content()
    assert seen["Subject"] == "PRO-012 waits for your approval"
    assert seen["To"] == "Ana Silva <ana@example.com>"
    for form in (text, html):
        assert form.count("https://qms.example.com/documents/12/") == 1
        assert "https://qms.example.com/me/mute/1/" in form
        assert "Review it" in form
        assert "NC-2026-0007" in form
        assert "4 days late" in form
    assert "Maple & Sons" in text
    assert "Maple &amp; Sons" in html
    assert "Subject:" not in text
    assert "\n\n\n" not in text


def test_words_of_people_stay_words_in_html() -> None:
    html = parsed(composed()).get_body(("html",)).get_content()
    assert "&lt;b&gt;today&lt;/b&gt;" in html
    assert "<b>today" not in html


def test_the_same_event_has_the_same_message_id_and_another_person_another() -> None:
    one, again = parsed(composed())["Message-ID"], parsed(composed())["Message-ID"]
    assert one == again
    assert one.endswith("@qms.example.com>")
    assert parsed(composed(to=person(pk=8)))["Message-ID"] != one
    assert parsed(composed(key="approval:13"))["Message-ID"] != one


def test_machines_are_told_not_to_answer_and_how_to_mute() -> None:
    seen = parsed(composed())
    assert seen["Auto-Submitted"] == "auto-generated"
    assert seen["List-Unsubscribe"] == "<https://qms.example.com/me/mute/1/>"
    assert "List-Unsubscribe" not in parsed(composed(mute=""))


@pytest.mark.parametrize(
    "fields",
    [{"is_active": False}, {"email": None}, {"email": ""}, {"is_system": True}],
    ids=["left", "erased", "without address", "the system"],
)
def test_nobody_who_left_gets_mail(fields: dict[str, Any]) -> None:
    assert composed(to=person(**fields)) is None
    assert mail.deliver(None) is False
    assert sent.outbox == []


BREAKS = ["a\nBcc: x@evil.example", "a\r\nBcc: x@evil.example", "a\x0bBcc: x", "a\u2028Bcc: x"]


@pytest.mark.parametrize("text", BREAKS)
def test_no_header_is_smuggled_in(text: str) -> None:
    for message in (
        composed({"subject_line": text}),
        composed(to=person(name=text)),
        composed(key=text),
    ):
        seen = parsed(message)
        assert seen["Bcc"] is None
        assert message.recipients() == [message.to[0]]
    assert composed(to=person(email=f"{text}@example.com")) is None


@trying(deadline=None)  # the first one reads the templates
@given(st.text(max_size=300), st.text(max_size=80))
@pytest.mark.slow
def test_any_title_and_name_make_a_mail_that_can_be_sent(title: str, name: str) -> None:
    try:
        (title + name).encode()
    except UnicodeEncodeError:
        return
    seen = parsed(composed({"subject_line": f"x{title}"}, to=person(name=name)))
    assert len(str(seen["Subject"])) <= mail.LONGEST_SUBJECT
    assert set(seen.keys()) <= {
        *("Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type"),
        *("Auto-Submitted", "X-Auto-Response-Suppress", "List-Unsubscribe"),
    }


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "documents/",
        "/a b",
        "/a\n",
    ],
)
def test_a_mail_never_leads_to_another_site(path: str) -> None:
    with pytest.raises(ValueError, match="not a path of ours"):
        composed(act=path)


@pytest.mark.parametrize("name", ["../notice", "notice.txt", "", "Notice", "a//b"])
def test_a_template_is_named_not_found(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a mail"):
        mail.compose(name, CONTEXT, person(), key="k")


def test_a_composed_mail_is_delivered() -> None:
    assert mail.deliver(composed()) is True
    assert [m.subject for m in sent.outbox] == ["PRO-012 waits for your approval"]
