"""Across a border between chapters, only facts (`models`) and procedure (`workflow`) are used."""

import grimp
import pytest

CHAPTERS = ("documents", "objectives", "audits", "capa", "reviews")
PUBLIC = {"models", "workflow"}
# The table of roles is a fact like a model: it decides nothing and everybody may read it.
ALSO_PUBLIC = {"qms.people.roles"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("qms", *CHAPTERS, cache_dir=None)


def ground_chapters(graph: grimp.ImportGraph) -> set[str]:
    """The small apps inside `qms`: every folder there that keeps records."""
    return {
        parent
        for parent in graph.find_children("qms")
        if f"{parent}.apps" in graph.find_children(parent)
    }


def test_chapters_use_only_each_others_models_and_workflow(graph: grimp.ImportGraph) -> None:
    chapters = {*CHAPTERS, *ground_chapters(graph)}
    assert {"qms.people", "qms.work", "capa"} <= chapters

    def chapter_of(module: str) -> str | None:
        parts = module.split(".")
        return next((name for name in (".".join(parts[:2]), parts[0]) if name in chapters), None)

    wrong = [
        f"{importer} imports {imported}"
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if (owner := chapter_of(imported)) is not None
        and owner != chapter_of(importer)
        and imported not in ALSO_PUBLIC
        and imported.removeprefix(f"{owner}.").split(".")[0] not in PUBLIC
    ]
    assert wrong == []


def test_kernel_knows_no_chapter(graph: grimp.ImportGraph) -> None:
    chapters = {*CHAPTERS, *ground_chapters(graph)}
    # Where the program is put together, names of apps are strings; these only gather.
    kernel = [
        module
        for module in graph.find_children("qms")
        if module not in chapters and module not in {"qms.migrations", "qms.management"}
    ]
    wrong = [
        f"{importer} imports {imported}"
        for importer in sorted(kernel)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if any(f"{imported}.".startswith(f"{chapter}.") for chapter in chapters)
    ]
    assert wrong == []
