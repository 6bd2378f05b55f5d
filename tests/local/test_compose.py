"""The container files, as far as they can be tried where no container engine runs."""

import ast
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from tests.settings import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each.get("image") == "qms"}
# The parts of the compose specification we use, as a schema of our own: a key that is misspelt
# would be an error for the engine, and is one here.
TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^\d+(s|m|h)$"}
MAPPING = {"type": "object", "additionalProperties": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "required": ["services", "volumes", "networks"],
    "properties": {
        "name": TEXT,
        "services": {"type": "object", "additionalProperties": {"$ref": "#/$defs/service"}},
        "volumes": {"type": "object"},
        "networks": {"type": "object"},
    },
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
    "$defs": {
        "service": {
            "type": "object",
            "required": ["image", "read_only", "restart", "networks", "security_opt"],
            "additionalProperties": False,
            "properties": {
                "image": TEXT,
                "build": TEXT,
                "command": TEXTS,
                "env_file": TEXT,
                "environment": MAPPING,
                "user": {"type": "string", "pattern": r"^[1-9]\d*$"},
                "read_only": {"const": True},
                "tmpfs": TEXTS,
                "volumes": TEXTS,
                "ports": TEXTS,
                "cap_drop": {"const": ["ALL"]},
                "cap_add": {"const": ["NET_BIND_SERVICE"]},
                "security_opt": {"const": ["no-new-privileges:true"]},
                "init": {"type": "boolean"},
                "restart": {"enum": ["no", "unless-stopped"]},
                "networks": {"type": "array", "items": {"enum": ["inside", "outside"]}},
                "mem_limit": {"type": "string", "pattern": r"^\d+[mg]$"},
                "shm_size": {"type": "string", "pattern": r"^\d+[mg]$"},
                "depends_on": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["condition"],
                        "properties": {
                            "condition": {
                                "enum": ["service_healthy", "service_completed_successfully"]
                            }
                        },
                    },
                },
                "healthcheck": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "test": TEXTS,
                        "interval": DURATION,
                        "timeout": DURATION,
                        "start_period": DURATION,
                        "retries": {"type": "integer", "minimum": 1},
                        "disable": {"const": True},
                    },
                },
            },
        }
    },
}


def test_compose_file_has_the_shape_an_engine_accepts() -> None:
    jsonschema.validate(COMPOSE, SCHEMA)


def test_every_service_that_is_waited_for_exists_and_tells_its_health() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"]
            else:
                assert SERVICES[other]["restart"] == "no"


def test_every_lasting_service_has_a_health_check() -> None:
    without = [
        name
        for name, service in SERVICES.items()
        if service["restart"] != "no" and not service.get("healthcheck", {}).get("test")
    ]
    assert without == []


def test_our_processes_run_as_nobody_special() -> None:
    assert set(OURS) == {"migrate", "web", "worker", "worker-pack", "beat"}
    for service in OURS.values():
        assert service["user"] == "10001"
        assert service["cap_drop"] == ["ALL"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", dockerfile, re.M)
    assert "--uid 10001" in dockerfile


def test_named_volumes_and_mounted_files_exist() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                assert source in COMPOSE["volumes"], source


def test_only_the_proxy_listens_outside() -> None:
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["proxy"]["ports"][0].startswith("80:")


def test_broker_keeps_tasks_and_never_forgets_one() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--requirepass" in command


# Every command exists


def _commands() -> list[tuple[str, list[str]]]:
    found = []
    for name, service in OURS.items():
        for command in (service["command"], service.get("healthcheck", {}).get("test", [])):
            found += [(name, words) for words in _plain(command)]
    return found


def _plain(command: list[str]) -> list[list[str]]:
    """The programs of a command: a shell's line is taken apart at its `&&`."""
    if not command:
        return []
    if command[0] == "CMD":
        return [command[1:]]
    line = command[1] if command[0] == "CMD-SHELL" else None
    if command[:2] == ["sh", "-c"]:
        line = command[2]
    if line is None:
        return [command]
    return [shlex.split(part) for part in line.replace("$$", "$").split("&&")]


@pytest.mark.parametrize(("service", "words"), _commands())
def test_command_exists(service: str, words: list[str]) -> None:
    program = words[0]
    assert (Path(sys.executable).parent / program).exists(), f"{service}: {program}"
    if words[:2] == ["python", "manage.py"]:
        assert words[2] in get_commands()
    elif words[:2] == ["python", "-m"]:
        __import__(words[2])
    elif program == "celery":
        module = words[words.index("-A") + 1]
        __import__(module)
        assert hasattr(sys.modules[module], "app")
    else:
        assert program == "gunicorn"
        __import__(words[1])
        assert callable(sys.modules[words[1]].application)


def test_every_queue_of_the_schedule_is_read_by_a_worker() -> None:
    read = {words[words.index("-Q") + 1] for _, words in _commands() if "-Q" in words}
    default = settings.CELERY_TASK_DEFAULT_QUEUE
    sent = {
        each.get("options", {}).get("queue", default)
        for each in settings.CELERY_BEAT_SCHEDULE.values()
    }
    assert sent | {default} <= read


def test_every_task_of_the_schedule_exists() -> None:
    from qms.celery import app

    app.loader.import_default_modules()
    missing = {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()} - set(app.tasks)
    assert missing == set()


# Every variable is read, and every variable that is read is told

SET_BY_IMAGE = {"QMS_MODE", "WEB_BIND"}


def _read_by_python(path: Path) -> set[str]:
    """Names of environment variables that a module reads by `env…()` or `os.environ`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, first = ast.unparse(node.func), node.args[0]
        if name in {"env", "env_bool", "env_int", "env_list", "os.environ.get"} and isinstance(
            first, ast.Constant
        ):
            found.add(str(first.value))
    return found


def _told() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.M))


def _asked_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", (ROOT / "docker-compose.yml").read_text()))


def test_every_variable_that_is_read_is_told_and_every_told_one_is_read() -> None:
    read = _read_by_python(ROOT / "qms/settings.py") | _read_by_python(ROOT / "gunicorn.conf.py")
    assert {"SECRET_KEY", "DATABASE_URL", "WEB_WORKERS"} <= read
    assert _told() == (read - SET_BY_IMAGE) | _asked_by_compose()


def test_every_variable_set_for_a_service_is_read() -> None:
    read = _read_by_python(ROOT / "qms/settings.py") | _read_by_python(ROOT / "gunicorn.conf.py")
    for service in OURS.values():
        assert set(service["environment"]) <= read
    image = re.findall(r"\b([A-Z_]+)=", (ROOT / "Dockerfile").read_text().split("USER")[0])
    pythons_own = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "HOME"}
    assert set(image) <= read | pythons_own


def test_what_must_be_filled_in_is_exactly_what_production_refuses_to_miss() -> None:
    from qms.settings import REQUIRED

    lines = (ROOT / ".env.example").read_text().split("# --- Only without")[0]
    needed = set(re.findall(r"^([A-Z_]+)=", lines, re.M))
    assert needed - _asked_by_compose() | {"PUBLIC_URL"} == set(REQUIRED) - {
        "DATABASE_URL",
        "REDIS_URL",
    }
