"""A real IMAP server on loopback (pymap), with STARTTLS, and TLS from the first byte in front."""

import imaplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "reports@example.com", "a password of the mailbox"


@dataclass
class Server:
    """Where it listens, and the certificate clients must trust."""

    port: int
    tls_port: int
    certificate: Path

    @contextmanager
    def signed_in(self) -> Iterator[imaplib.IMAP4]:
        secure = ssl.create_default_context(cafile=str(self.certificate))
        imap = imaplib.IMAP4("localhost", self.port, timeout=20)
        imap.starttls(secure)
        imap.login(USER, PASSWORD)
        try:
            yield imap
        finally:
            imap.logout()

    def put(self, *mails: bytes) -> None:
        """Let mails arrive."""
        with self.signed_in() as imap:
            for mail in mails:
                kind, answer = imap.append("INBOX", "", "", mail)
                assert kind == "OK", answer

    def held(self, folder: str = "INBOX") -> list[bytes]:
        """What a folder holds."""
        with self.signed_in() as imap:
            if imap.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            [found] = imap.search(None, "ALL")[1]
            return [imap.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in found.split()]

    def emptied(self) -> None:
        with self.signed_in() as imap:
            for folder in ("Taken up", "Not taken up"):
                with suppress(imaplib.IMAP4.error):
                    imap.delete(f'"{folder}"')
            imap.select("INBOX")
            [found] = imap.search(None, "ALL")[1]
            for number in found.split():
                imap.store(number, "+FLAGS.SILENT", r"(\Deleted)")
            imap.expunge()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Start one, and stop it."""
    certificate = a_certificate(folder)
    port, tls_port = _free(), _free()
    given = ["--host", "127.0.0.1", "--port", str(port), "--cert", str(certificate)]
    given += ["--pid-file", f"qms-mailbox-{port}"]
    user = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    # Half a million rounds of hashing at each sign-in are no part of what is tried here.
    start = "import sys; from pymap.main import main; from pysasl.hashing import BuiltinHash"
    start += "; BuiltinHash.__init__.__kwdefaults__['rounds'] = 1; sys.exit(main())"
    command = [sys.executable, "-c", start, *given, "--key", str(certificate), *user]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        with _tls_in_front(tls_port, port, certificate):
            yield Server(port, tls_port, certificate)
    finally:
        process.terminate()
        process.wait(10)


def a_certificate(folder: Path) -> Path:
    """A certificate for localhost with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "mailbox.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def _free() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, "The IMAP server did not start."
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("The IMAP server does not answer.")


@contextmanager
def _tls_in_front(port: int, behind: int, certificate: Path) -> Iterator[None]:
    """TLS from the first byte, as port 993 has it; pymap itself begins it with STARTTLS only."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", port))

    def forward(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                target.sendall(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            with suppress(OSError):
                client = context.wrap_socket(plain, server_side=True)
                server = socket.create_connection(("127.0.0.1", behind))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=forward, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.close()
