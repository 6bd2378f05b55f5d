"""The product's own settings, told where the servers of this test run are.

pytest loads this before any conftest, so only addresses are chosen here; `tests/conftest.py`
starts the servers. A given `DATABASE_URL` or `REDIS_URL` is used as it is.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from qms.local.postgres import Postgres
from qms.local.valkey import Valkey
from tests import template

ROOT = Path(__file__).resolve().parent.parent
NAME = os.environ.get("QMS_TEST_DB", "test_qms")


def _folder() -> Path:
    """Where this run keeps its servers: kept for `--reuse-db`, else thrown away at the end."""
    if "QMS_TEST_STACK" in os.environ:  # a worker of xdist, or a process a test started
        return Path(os.environ["QMS_TEST_STACK"])
    if "--reuse-db" in sys.argv:
        folder = ROOT / "var" / "test" / NAME
        folder.mkdir(parents=True, exist_ok=True)
    else:
        folder = Path(tempfile.mkdtemp(prefix="qms-test-"))
        folder.chmod(0o755)  # the account that runs PostgreSQL for root must get through
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    template.thaw(folder)  # before anybody asks for the password
    os.environ["QMS_TEST_STACK"] = str(folder)
    return folder


STACK = _folder()
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Tests never share a broker's database with another worker of the same run.
OURS = Postgres(STACK, keep=False).url("postgres")
os.environ.setdefault("DATABASE_URL", OURS)
if "REDIS_URL" not in os.environ or os.environ.get("QMS_TEST_REDIS") == "ours":
    os.environ["QMS_TEST_REDIS"] = "ours"
    os.environ["REDIS_URL"] = Valkey(STACK, keep=False).url(WORKER)
# Nor a folder: letters, files and logs of one worker are not counted by another.
if "VAR_DIR" not in os.environ or os.environ.get("QMS_TEST_VAR") == "ours":
    os.environ["QMS_TEST_VAR"] = "ours"
    os.environ["VAR_DIR"] = str(STACK / f"var{WORKER}")
Path(os.environ["VAR_DIR"], "static").mkdir(parents=True, exist_ok=True)
os.environ.setdefault("QMS_MODE", "test")

from qms.settings import *  # noqa: E402, F403 - the rest is the product's own
from qms.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE, STORAGES  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": NAME}
if os.environ["DATABASE_URL"] == OURS:  # a given server has no migrated database to clone
    DATABASES["default"]["TEST"]["TEMPLATE"] = template.TEMPLATE
# Argon2 takes a third of a second by design; a thousand sign-ins must not.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Hashed names need collectstatic first; a test of pages does not.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# A query repeated for each row of a page fails the test that asks for the page.
INSTALLED_APPS = [*INSTALLED_APPS, "zeal"]
MIDDLEWARE = ["zeal.middleware.zeal_middleware", *MIDDLEWARE]
ZEAL_RAISE = True
# A form with three people looks up three people, one for each field; a flow has two processes.
# A page with several answers saves and locks each of them; the signature that completes a review
# moves the revision on, which locks it again; an entry is saved, submitted and signed in one.
# Kinds of records are read once each and kept, so that the first page after a flush reads several.
ZEAL_ALLOWLIST = [
    {"model": "people.Person", "field": "get()"},
    {"model": "contenttypes.ContentType", "field": "get()"},
    {"model": "scope.Process", "field": "get()"},
    {"model": "journey.OpeningAnswer", "field": "get()"},
    {"model": "documents.Revision", "field": "get()"},
    {"model": "documents.Document", "field": "get()"},
    {"model": "documents.Signatory", "field": "get()"},
    {"model": "documents.Entry", "field": "get()"},
]
