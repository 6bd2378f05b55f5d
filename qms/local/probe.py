"""A container's own look at its web server: `python -m qms.local.probe /readyz/`.

Light on purpose (no Django), because it runs every few seconds.
"""

import http.client
import os
import sys


def main(path: str) -> int:
    """Ask for one page as the proxy would. Returns 0 when it answers 200."""
    port = int(os.environ.get("WEB_BIND", "127.0.0.1:8000").rpartition(":")[2])
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        web.request("GET", path, headers={"Host": host})
        answer = web.getresponse()
        text = answer.read(200).decode(errors="replace").strip()
    except OSError as problem:
        print(f"The web server does not answer: {problem}.")
        return 1
    print(f"{answer.status} {text}")
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/readyz/"))
