"""Mails become reports: each once, from people and from outside, with nothing lost."""

import io
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outgoing
from django.test import Client
from PIL import Image

from capa import mailbox, workflow
from capa.mails import read_mail, text_of_html
from capa.models import Complaint, Nonconformity, Report
from capa.tasks import read_mailbox
from qms.files.workflow import attachments_of, content_of
from qms.outbox import workflow as outbox
from qms.people.models import Person
from qms.periods import today
from qms.settings import Misconfigured
from tests import factories
from tests.capa.imap_server import PASSWORD, USER, Server, serving
from tests.sampling import PROVING

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("10.2.1")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("imap")) as running:
        yield running


@pytest.fixture
def box(server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.emptied()
    settings.IMAP_HOST, settings.IMAP_PORT, settings.IMAP_TLS = "localhost", server.port, "starttls"
    settings.IMAP_USER, settings.IMAP_PASSWORD = USER, PASSWORD
    return server


@pytest.fixture
def worker() -> Person:
    return factories.person(name="Wanda Worker")


def a_mail(
    text: str = "The seal of order 77 drips.\nSince this morning.",
    *,
    of: str = "Cara Customer <cara@customer.example>",
    subject: str | None = "Seal drips",
    key: str | None = "<one@customer.example>",
    **headers: str,
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = of, USER
    if subject is not None:
        made["Subject"] = subject
    if key is not None:
        made["Message-ID"] = key
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def read(box: Server, *mails: EmailMessage | bytes) -> list[Report]:
    """Let mails arrive and take them up."""
    box.put(*(each if isinstance(each, bytes) else each.as_bytes() for each in mails))
    read_mailbox()
    return list(Report.objects.order_by("pk"))


def a_photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "PNG")
    return made.getvalue()


# From whom


def test_nothing_is_read_where_no_mailbox_is_set(settings: Any) -> None:
    assert settings.IMAP_HOST == ""
    assert read_mailbox() == 0


def test_a_mail_of_one_of_us_is_their_report_with_its_files(box: Server, worker: Person) -> None:
    mail = a_mail(of=f"W. Worker <{worker.email.upper()}>")
    mail.add_attachment(a_photo(), maintype="image", subtype="png", filename="séal.png")
    [report] = read(box, mail)
    assert (report.created_by, report.sender, report.came_by) == (worker, "", "mail")
    assert (report.title, report.detected_on) == ("Seal drips", today())
    assert report.evidence == "The seal of order 77 drips.\nSince this morning."
    assert [each.name for each in attachments_of(report)] == ["séal.png"]
    assert box.held() == []
    assert len(box.held("Taken up")) == 1


def test_a_mail_from_outside_keeps_who_wrote_and_is_seen_by_who_sorts(
    box: Server, worker: Person, client: Client
) -> None:
    [report] = read(box, a_mail())
    assert report.sender == "Cara Customer <cara@customer.example>"
    assert report.created_by.is_system
    manager = factories.person("quality_manager")
    assert not Report.objects.visible_to(worker).exists()
    client.force_login(manager)
    for page in (report.get_absolute_url(), "/nonconformities/reports/sort/"):
        told = client.get(page).content.decode()
        assert "Cara Customer &lt;cara@customer.example&gt;" in told
        assert "by e-mail" in told
    workflow.sort_as_complaint(report, by=manager, came_by="mail")
    assert Complaint.objects.get().feedback.said_by.startswith("Cara Customer")


def test_a_case_made_of_a_mail_from_outside_was_detected_by_nobody_of_ours(box: Server) -> None:
    [report] = read(box, a_mail())
    workflow.sort_as_nonconformity(report, by=factories.person("quality_manager"))
    assert Nonconformity.objects.get().detected_by is None


def test_whoever_left_is_taken_for_somebody_outside(box: Server, worker: Person) -> None:
    worker.is_active = False
    worker.save_because("Left.", by=None)
    [report] = read(box, a_mail(of=str(worker.email)))
    assert (report.created_by.is_system, report.sender) == (True, worker.email)


# Once


def test_the_same_mail_twice_is_one_report_and_one_thanks(box: Server, worker: Person) -> None:
    mail = a_mail(of=str(worker.email))
    assert len(read(box, mail, mail)) == 1
    assert len(read(box, mail)) == 1
    outbox.drain("default")
    outbox.drain("default")
    [thanks] = outgoing.outbox
    assert thanks.to == [f"Wanda Worker <{worker.email}>"]
    assert "RP-" in thanks.subject
    assert thanks.extra_headers["In-Reply-To"] == "<one@customer.example>"
    assert thanks.extra_headers["Auto-Submitted"] == "auto-replied"
    assert Report.objects.get().get_absolute_url() in thanks.body


def test_what_stops_between_taking_up_and_putting_away_does_no_harm(
    box: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_away = mailbox.Mailbox.put_away

    def stop(self: Any, uid: str, folder: str) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(mailbox.Mailbox, "put_away", stop)
    with pytest.raises(ConnectionResetError):
        read(box, a_mail())
    assert (Report.objects.count(), len(box.held())) == (1, 1)
    monkeypatch.setattr(mailbox.Mailbox, "put_away", put_away)
    assert read_mailbox() == 0
    assert (Report.objects.count(), len(box.held()), len(box.held("Taken up"))) == (1, 0, 1)


def test_what_stops_before_the_commit_is_taken_up_later(
    box: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("capa.workflow.mails.outbox.add", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read(box, a_mail())
    assert (Report.objects.count(), len(box.held())) == (0, 1)
    assert read_mailbox() == 1


def test_a_server_that_cannot_move_gets_a_copy_and_a_mark(
    box: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = mailbox.Mailbox.opened

    def without_move() -> Any:
        found = opened()
        return mailbox.Mailbox(found.imap, found.able - {"MOVE"})

    monkeypatch.setattr(mailbox.Mailbox, "opened", staticmethod(without_move))
    assert len(read(box, a_mail())) == 1
    assert (read_mailbox(), len(box.held("Taken up"))) == (0, 1)


def test_it_reads_over_tls_from_the_first_byte_and_trusts_no_stranger(
    box: Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMAP_TLS, settings.IMAP_PORT = "tls", box.tls_port
    assert len(read(box, a_mail())) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    for how, port in (("tls", box.tls_port), ("starttls", box.port)):
        settings.IMAP_TLS, settings.IMAP_PORT = how, port
        with pytest.raises(OSError, match="certificate verify failed"):
            read_mailbox()


def test_a_mailbox_without_a_password_is_said_at_the_start() -> None:
    import subprocess
    import sys

    command = [sys.executable, "-c", "import qms.settings"]
    answer = subprocess.run(
        command,
        env={"QMS_MODE": "test", "IMAP_HOST": "mail.example.com", "PATH": "/usr/bin"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert answer.returncode == 1
    assert "IMAP_USER and IMAP_PASSWORD" in answer.stderr
    assert issubclass(Misconfigured, SystemExit)


# Machines


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; why=holiday"},
        {"Precedence": "bulk"},
        {"Precedence": "Auto_reply"},
        {"List_Id": "<news.example.com>"},
        {"Return_Path": "<>"},
        {"of": f"Reports <{USER}>"},
        {"of": "qms@localhost"},
    ],
)
def test_what_a_machine_or_we_ourselves_sent_is_not_taken_up_and_not_answered(
    box: Server, headers: dict[str, str]
) -> None:
    assert read(box, a_mail(**headers)) == []
    outbox.drain("default")
    assert outgoing.outbox == []
    assert (len(box.held()), len(box.held("Not taken up"))) == (0, 1)


def test_who_says_that_a_person_wrote_is_taken_up(box: Server) -> None:
    assert len(read(box, a_mail(Auto_Submitted="no"))) == 1


def test_who_wants_no_answer_gets_none(box: Server) -> None:
    assert len(read(box, a_mail(X_Auto_Response_Suppress="DR, OOF, AutoReply"))) == 1
    outbox.drain("default")
    assert outgoing.outbox == []


def test_two_machines_that_answer_each_other_come_to_an_end(box: Server) -> None:
    mails = [a_mail(key=f"<{at}@customer.example>") for at in range(14)]
    assert len(read(box, *mails)) == 14
    outbox.drain("default")
    assert len(outgoing.outbox) == 10


# Whatever it looks like


def test_ten_thousand_characters_and_more_are_kept_whole(box: Server) -> None:
    text = "".join(f"Line {at} of what they wrote to us about the seal.\n" for at in range(2_000))
    [report] = read(box, a_mail(text))
    assert len(report.evidence) <= 10_000
    assert report.evidence.startswith("Line 0 of what")
    [whole] = attachments_of(report)
    assert whole.name == "whole text of the mail.txt"
    assert content_of(whole).decode().split() == text.split()


def test_a_large_mail_names_what_stays_in_the_mailbox(box: Server, settings: Any) -> None:
    """Of forty megabytes in `make prove`, of a tenth of that otherwise."""
    size = 29_500_000 if PROVING else 2_950_000
    settings.FILES_MOST_MEGABYTES = 25 if PROVING else 2
    mail = a_mail()
    mail.add_attachment(b"\0" * size, maintype="video", subtype="mp4", filename="film.mp4")
    mail.add_attachment(a_photo(), maintype="image", subtype="png", filename="seal.png")
    mail.add_attachment(b"MZ\x90\0" * 50, maintype="application", subtype="x", filename="run.exe")
    [report] = read(box, mail)
    assert [each.name for each in attachments_of(report)] == ["seal.png"]
    assert f"“film.mp4” is larger than {settings.FILES_MOST_MEGABYTES} MB" in report.evidence
    assert "run.exe" in report.evidence
    assert report.evidence.count("It stays in the mailbox.") == 2
    [kept] = box.held("Taken up")
    assert len(kept) > size * 4 / 3


def test_of_a_mail_beyond_all_measure_the_beginning_is_read(
    box: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_READ", 200_000)
    monkeypatch.setattr(mailbox, "BEGINNING", 50_000)
    mail = a_mail()
    mail.add_attachment(b"\1" * 300_000, maintype="image", subtype="png", filename="seal.png")
    [report] = read(box, mail)
    assert "larger than" in report.evidence
    assert "The seal of order 77 drips." in report.evidence
    assert not attachments_of(report).exists()


def test_html_alone_gives_its_words_and_runs_nothing(box: Server) -> None:
    mail = a_mail()
    mail.set_content(
        "<html><head><title>T</title><style>p{}</style></head><body><p>Seal &amp; ring</p>"
        "<script>alert(1)</script><div>drip<br>since <b>noon</b></div>"
        "<img src=x onerror=alert(1)><p>&lt;script&gt;</p></body></html>",
        subtype="html",
    )
    [report] = read(box, mail)
    assert report.evidence == "Seal & ring\ndrip\nsince noon\n<script>"


def test_the_plain_part_is_taken_where_there_are_both(box: Server) -> None:
    mail = a_mail("Plain words.")
    mail.add_alternative("<p>Marked words.</p>", subtype="html")
    [report] = read(box, mail)
    assert report.evidence == "Plain words."


def test_a_mail_within_a_mail_comes_as_its_text(box: Server) -> None:
    mail = a_mail("See what they wrote.")
    mail.add_attachment(a_mail("It leaks.", of="Bo <bo@x.example>", subject="Leak"))
    [report] = read(box, mail)
    [inner] = attachments_of(report)
    assert inner.name == "Leak.txt"
    assert "It leaks." in content_of(inner).decode()
    assert "Bo <bo@x.example>" in content_of(inner).decode()


RAW_HEAD = b"From: cara@customer.example\r\nMessage-ID: <raw@x>\r\n"


@pytest.mark.parametrize(
    ("raw", "title", "words"),
    [
        (
            RAW_HEAD + b"Subject: =?utf-8?q?D=C3=A9faut?=\r\n"
            b"Content-Type: text/plain; charset=x-unknown\r\n\r\nSchl\xc3\xbcssel",
            "Défaut",
            "Schlüssel",
        ),
        (
            RAW_HEAD + b"Subject: =?x-none?q?Seal?=\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n\r\nSchl\xfcssel",
            "Seal",
            "Schlüssel",
        ),
        (RAW_HEAD + b"\r\nFirst line\r\nSecond line", "First line", "First line\nSecond line"),
        (RAW_HEAD + b"\r\n", "A mail without subject and text", ""),
        (RAW_HEAD + b"Subject: a\0b\x1b[31m\r\n\r\nx\0y\xe2\x80\xaez", "ab[31m", "xyz"),
        (b"Subject: Nobody\r\n\r\nNo sender", "Nobody", "No sender"),
        (b"From: not an address\r\nSubject: Odd\r\n\r\nHello", "Odd", "Hello"),
        (
            RAW_HEAD + b"Subject: Torn\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: text/plain\r\n\r\nHalf",
            "Torn",
            "Half",
        ),
        (
            RAW_HEAD + b"Subject: Bad64\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
            "Bad64",
            "",
        ),
    ],
)
def test_whatever_a_mail_looks_like_it_becomes_a_report(
    box: Server, raw: bytes, title: str, words: str
) -> None:
    [report] = read(box, raw)
    assert report.title == title
    assert words in report.evidence
    assert len(box.held("Taken up")) == 1


def test_a_subject_of_a_thousand_characters_is_cut_and_one_that_injects_is_a_line(
    box: Server,
) -> None:
    long = a_mail(subject="Seal " * 400, key="<a@x>").as_bytes()
    split = RAW_HEAD + b"Subject: Seal=?utf-8?q?=0D=0ABcc:_all=40x=2Eexample?=\r\n\r\nx"
    reports = read(box, long, split)
    assert [len(each.title) <= 200 for each in reports] == [True, True]
    assert "\n" not in reports[1].title
    outbox.drain("default")
    for thanks in outgoing.outbox:
        assert "Bcc" not in thanks.message()
        assert len(thanks.recipients()) == 1


def test_more_files_than_may_come_at_once_are_named(box: Server) -> None:
    mail = a_mail()
    for at in range(23):
        mail.add_attachment(f"Note {at}", filename=f"{at}.txt")
    [report] = read(box, mail)
    assert attachments_of(report).count() == 20
    assert report.evidence.count("one file too many") == 3


def test_mails_nested_without_end_are_read_to_a_depth() -> None:
    mail = a_mail("Innermost.")
    for _at in range(40):
        outer = a_mail("Outer.")
        outer.add_attachment(mail)
        mail = outer
    found = read_mail(mail.as_bytes())
    assert (found.text, len(found.files)) == ("Outer.", 6)


def test_html_without_words_is_empty_and_a_long_one_is_read() -> None:
    assert text_of_html("<img src=x>") == ""
    assert len(text_of_html("<p>word</p>" * 200_000)) > 900_000
