"""Reading the mailbox for reports (IMAP): each mail once in effect, and none is ever deleted.

A mail is taken up in a transaction that remembers its key, and put away after the commit. What
stops in between is found again, known by its key, and put away then.
"""

import imaplib
import logging
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, Self

from django.conf import settings
from django.db import connection

from capa.mails import Mail, read_mail
from capa.models import Report
from capa.workflow import receive_mail

AT_ONCE = 50  # mails of one reading; the next beat goes on
WITHIN = timedelta(minutes=2)
MEGABYTE = 1024 * 1024
MOST_READ = 64 * MEGABYTE  # of a larger mail only the beginning is read
BEGINNING = 4 * MEGABYTE
TIMEOUT = 30
READER = 0x51_4D_53_01  # the number of the database's lock: one reader at a time
log = logging.getLogger(__name__)


class MailboxError(Exception):
    """The mail server refused something; says what."""


@dataclass
class Mailbox:
    """A mailbox that is open, and what its server is able to do."""

    imap: imaplib.IMAP4
    able: frozenset[str]

    @classmethod
    def opened(cls) -> Self:
        """Connect, sign in, choose the folder. Raises OSError, IMAP4.error or MailboxError."""
        secure = ssl.create_default_context()
        host, port = settings.IMAP_HOST, settings.IMAP_PORT
        imap: imaplib.IMAP4
        if settings.IMAP_TLS == "tls":
            imap = imaplib.IMAP4_SSL(host, port, ssl_context=secure, timeout=TIMEOUT)
        else:
            imap = imaplib.IMAP4(host, port, timeout=TIMEOUT)
            imap.starttls(secure)
        imap.login(settings.IMAP_USER, settings.IMAP_PASSWORD)
        [told, *_] = imap.capability()[1]  # after signing in a server is able to more
        box = cls(imap, frozenset(told.decode("ascii").upper().split()))
        box.ask("SELECT", _quoted(settings.IMAP_FOLDER))
        return box

    def close(self) -> None:
        with suppress(OSError, imaplib.IMAP4.error):
            self.imap.logout()

    def ask(self, command: str, *given: str) -> list[Any]:
        """What the server answers to a command; MailboxError where it says no."""
        if command == "SELECT":
            kind, answer = self.imap.select(given[0])
        elif command == "CREATE":
            kind, answer = self.imap.create(given[0])
        else:
            kind, answer = self.imap.uid(command, *given)
        if kind != "OK":
            raise MailboxError(f"{command}: {answer}")
        return list(answer)

    def waiting(self) -> list[str]:
        """The numbers of the mails in the folder, the oldest first."""
        [found, *_] = self.ask("SEARCH", "UNDELETED") or [b""]
        return (found or b"").decode("ascii").split()

    def read(self, uid: str) -> tuple[bytes, bool]:
        """A mail, and whether all of it was read; empty where it is gone meanwhile."""
        [told, *_] = self.ask("FETCH", uid, "(RFC822.SIZE)") or [b""]
        size = re.search(rb"RFC822\.SIZE (\d+)", told or b"")
        whole = not size or int(size[1]) <= MOST_READ
        body = "(BODY.PEEK[])" if whole else f"(BODY.PEEK[]<0.{BEGINNING}>)"
        pieces = [each[1] for each in self.ask("FETCH", uid, body) if isinstance(each, tuple)]
        return (pieces[0] if pieces else b""), whole

    def put_away(self, uid: str, folder: str) -> None:
        """Move a mail to a folder, which is made where there is none."""
        with suppress(MailboxError, imaplib.IMAP4.error):
            self.ask("CREATE", _quoted(folder))  # refused where it is there already
        if "MOVE" in self.able:
            self.ask("MOVE", uid, _quoted(folder))
            return
        self.ask("COPY", uid, _quoted(folder))
        self.ask("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self.able:  # else what others deleted would go as well
            self.ask("EXPUNGE", uid)


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_mailbox() -> int:
    """Take up what waits in the mailbox; returns how many reports were made of it."""
    if not settings.IMAP_HOST:
        return 0
    with _only_reader() as mine:
        return _read() if mine else 0


@contextmanager
def _only_reader() -> Iterator[bool]:
    """Whether this is the one process that reads now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [READER])
        (mine,) = cursor.fetchone()
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [READER])


def _read() -> int:
    end, made = time.monotonic() + WITHIN.total_seconds(), 0
    box = Mailbox.opened()
    try:
        for uid in box.waiting()[:AT_ONCE]:
            made += take(box, uid)
            if time.monotonic() > end:
                break
    finally:
        box.close()
    return made


def take(box: Mailbox, uid: str) -> bool:
    """Take up one mail and put it away; whether a report was made of it."""
    raw, whole = box.read(uid)
    if not raw:
        return False
    mail = read_mail(raw, ours=our_addresses())
    if mail.refused:
        log.info("A mail was not taken up: %s.", mail.refused)
        box.put_away(uid, settings.IMAP_LEFT_FOLDER)
        return False
    known = Report.objects.filter(mail_key=mail.key).exists()
    if not known:
        receive_mail(mail if whole else shortened(mail))
    box.put_away(uid, settings.IMAP_TAKEN_FOLDER)
    return not known


def shortened(mail: Mail) -> Mail:
    """A mail of which only the beginning was read: its files cannot be whole."""
    note = f"The mail is larger than {MOST_READ // MEGABYTE} MB; its files stay in the mailbox."
    return replace(mail, files=[], text=f"{note}\n\n{mail.text}")


def our_addresses() -> frozenset[str]:
    """The addresses this installation writes from and reads."""
    known = (settings.DEFAULT_FROM_EMAIL, settings.IMAP_USER, settings.EMAIL_HOST_USER)
    return frozenset(parseaddr(each)[1].lower() for each in known if "@" in each)
