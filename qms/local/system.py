"""Libraries and fonts that a wheel cannot bring: Pango for PDF, libmagic for uploads."""

import ctypes
import os
import platform
import shutil
import subprocess
from pathlib import Path

from qms.local.processes import NotReady

# Debian's package for each library that must load.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libfontconfig.so.1": "fontconfig",
    "libmagic.so.1": "libmagic1",
}
FONT = "DejaVuSans.ttf"
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
)


def missing_packages() -> list[str]:
    """Debian packages of what does not load on this machine, in a fixed order."""
    missing = [package for library, package in LIBRARIES.items() if not _loads(library)]
    if not _has_font():
        missing.append(FONT_PACKAGE)
    return missing


def require_libraries() -> None:
    """Install what is missing where we may, else raise NotReady with the exact command."""
    if platform.system() != "Linux":
        _require_on_other_systems()
        return
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        prefix = "" if os.geteuid() == 0 else "sudo "
        raise NotReady(
            f"These system libraries are missing: {', '.join(missing)}."
            f" Install them and start again:\n  {prefix}{' '.join(command)}"
        )
    print(f"Installing {', '.join(missing)} …", flush=True)
    _install(command)
    still = missing_packages()
    if still:
        raise NotReady(f"apt-get ended, but these are still missing: {', '.join(still)}.")


def _install(command: list[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-q"], command):
        done = subprocess.run(step, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise NotReady(
                f"`{' '.join(step)}` failed: {said[-1] if said else 'it said nothing'}"
                " Run it by hand and start again."
            )


def _require_on_other_systems() -> None:
    try:
        import magic  # noqa: F401 - loads libmagic
        import weasyprint  # noqa: F401 - loads Pango
    except (ImportError, OSError) as problem:
        raise NotReady(
            "Pango or libmagic is missing. Install them and start again:\n"
            "  brew install pango libmagic"
        ) from problem


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_font() -> bool:
    return any(next(folder.rglob(FONT), None) for folder in FONT_FOLDERS if folder.is_dir())
