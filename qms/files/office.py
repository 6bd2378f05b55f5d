"""LibreOffice as a converter of foreign documents: one process for one file, on a short leash.

It runs with a profile of its own that is thrown away, without macros, without updating links, with
every proxy pointing nowhere, limited in memory and time. Where it is not installed nothing is
converted, and pages say so.
"""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings

SECONDS = 90
MEGABYTES = 4096
NAMES = ("soffice", "libreoffice")
# Addresses in a document must not become requests: nobody listens on port 9.
NOWHERE = "127.0.0.1"
_ITEM = (
    '<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse">'
    "<value>{value}</value></prop></item>"
)
_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "0"),
    ("/org.openoffice.Inet/Settings", "ooInetProxyType", "2"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyName", NOWHERE),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyName", NOWHERE),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyPort", "9"),
)


class NotConverted(Exception):
    """There is no PDF; the message is a sentence for people."""


def program() -> str | None:
    """Where LibreOffice is; None where it is not installed."""
    given = str(settings.SOFFICE)
    return given or next(filter(None, map(shutil.which, NAMES)), None)


def to_pdf(content: bytes, ending: str) -> bytes:
    """The PDF of an office file. Raises NotConverted in words."""
    soffice = program()
    if soffice is None:
        raise NotConverted("LibreOffice is not installed, so there is no PDF of it.")
    with tempfile.TemporaryDirectory(prefix="qms-office-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        _write_profile(place / "profile" / "user")
        source = place / f"document{ending}"
        source.write_bytes(content)
        command = [
            *(soffice, "--headless", "--norestore", "--nologo", "--nolockcheck", "--nodefault"),
            *(f"-env:UserInstallation=file://{place}/profile", "--convert-to", "pdf"),
            *("--outdir", folder, str(source)),
        ]
        _run(command, folder)
        made = place / "document.pdf"
        if not made.exists() or not made.stat().st_size:
            raise NotConverted("LibreOffice could not read it. Save it as PDF and upload that.")
        return made.read_bytes()


def _write_profile(folder: Path) -> None:
    folder.mkdir(parents=True)
    items = "".join(_ITEM.format(path=p, name=n, value=v) for p, n, v in _SETTINGS)
    (folder / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        f"{items}</oor:items>"
    )


def _run(command: list[str], folder: str) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": folder,
        "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
        **dict.fromkeys(("http_proxy", "https_proxy", "ftp_proxy"), f"http://{NOWHERE}:9"),
    }
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_limit,
        )
    except OSError:
        raise NotConverted("LibreOffice could not be started, so there is no PDF of it.") from None
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise NotConverted(
            "It took LibreOffice too long. Save it as PDF and upload that."
        ) from None
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """LibreOffice starts a second process; the whole group ends with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def _limit() -> None:
    most = MEGABYTES * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
