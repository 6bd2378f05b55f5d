"""`make trace`: which tests hold which clause, and which handlers hear which event."""

import ast
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from qms.local.stack import ROOT


def clause_tests(tests: Path) -> dict[str, list[str]]:
    """Clause number → tests marked with it, as `tests/capa/test_workflow.py::test_…`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        of_module = [
            number
            for node in tree.body
            if isinstance(node, ast.Assign) and _names(node) == ["pytestmark"]
            for number in _clauses(ast.walk(node.value))
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                own = [n for mark in node.decorator_list for n in _clauses(ast.walk(mark))]
                for number in dict.fromkeys([*of_module, *own]):
                    found[number].append(f"{path.relative_to(tests.parent)}::{node.name}")
    return dict(sorted(found.items(), key=lambda pair: _order(pair[0])))


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _clauses(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "clause"
        ):
            yield from (str(part.value) for part in node.args if isinstance(part, ast.Constant))


def _order(number: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else 0, part) for part in number.split(".")]


def event_handlers() -> dict[str, list[str]]:
    """Event → its handlers in the order they run, as `capa.workflow.propose`."""
    os.environ.setdefault("QMS_MODE", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qms.settings")
    import django

    django.setup()
    from qms import events

    return {
        f"{event.__module__}.{event.__qualname__}": [
            f"{each.order:>4} {each.name}" for each in registered
        ]
        for event, registered in events.handlers().items()
    }


def main() -> int:
    """Print both tables."""
    print("Clause → tests")
    for number, tests in clause_tests(ROOT / "tests").items():
        print(f"  {number}")
        for test in tests:
            print(f"    {test}")
    print("\nEvent → handlers, in their order")
    for event, handlers in event_handlers().items():
        print(f"  {event}")
        for handler in handlers:
            print(f"    {handler}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
