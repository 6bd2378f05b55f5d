#!/usr/bin/env python
"""The command line of the quality management system.

With nothing in the environment it is a developer's: the servers of `var/` are used, and started
for the time of the command when they do not run.
"""

import contextlib
import os
import sys

# Commands that never ask a server anything.
ALONE = {"help", "version", "--help", "-h", "--version", "collectstatic", "makemessages"}
ALONE |= {"wait"}  # it asks again and again by itself
GIVEN = ("QMS_MODE", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def main() -> int:
    """Run one command. Returns the exit code; what is wrong outside is one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qms.settings")
    from qms.local.processes import NotReady
    from qms.local.stack import attached, look_at_database

    # By itself, on a developer's machine; in production every address is given.
    by_hand = not any(os.environ.get(name) for name in GIVEN)
    if by_hand:
        os.environ["QMS_MODE"] = "development"
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks = command not in ALONE and "--help" not in sys.argv
    try:
        with attached() if by_hand and asks else contextlib.nullcontext():
            if asks and os.environ.get("DATABASE_URL"):
                look_at_database(os.environ["DATABASE_URL"])
            execute()
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def execute() -> None:
    """Hand the command to Django; a server lost on the way becomes a sentence."""
    from django.core.management import execute_from_command_line

    from qms.local.processes import NotReady

    try:
        execute_from_command_line(sys.argv)
    except Exception as problem:
        sentence = lost_server(problem)
        if sentence is None:
            raise
        raise NotReady(sentence) from problem


def lost_server(problem: BaseException | None) -> str | None:
    """The sentence for an error that only says that a server went away, else None."""
    import kombu.exceptions
    import psycopg
    import redis.exceptions

    broker_errors = (redis.exceptions.ConnectionError, kombu.exceptions.OperationalError)
    while problem is not None:
        # Without a code the answer came from the network, not from the database.
        if isinstance(problem, psycopg.OperationalError) and problem.sqlstate is None:
            return "The database (DATABASE_URL) stopped answering. Start it and try again."
        if isinstance(problem, broker_errors):
            return "The Redis server (REDIS_URL) does not answer. Start it and try again."
        problem = problem.__cause__
    return None


if __name__ == "__main__":
    sys.exit(main())
