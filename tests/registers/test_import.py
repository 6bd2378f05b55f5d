"""A real register comes in only after every problem was named, and then whole or not at all."""

import io
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from capa.models import Nonconformity
from capa.workflow import raise_nonconformity, take_over_closed
from documents.models import Document, Revision
from documents.workflow import create_document
from qms.people.models import Person
from qms.refusals import Refused
from qms.registers import DateReader, importers, letter, read
from qms.scope.models import Process
from tests import factories
from tests.registers import sheets

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Person:
    manager = factories.person("quality_manager", name="Claire Bouchard")
    manager.email = "claire.bouchard@example.com"
    manager.save(update_fields=["email"])
    reyes = factories.person("process_owner", name="Daniel Reyes")
    factories.person("process_owner", name="Ingrid Solheim")
    for code, name in (("PR", "Production"), ("PU", "Procurement")):
        Process.objects.create(code=code, name=name, owner=reyes, created_by=manager)
    return manager


@pytest.fixture
def master_list(tmp_path: Path) -> Path:
    return sheets.master_list(tmp_path / "master list.xlsx")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return sheets.nonconformity_log(tmp_path / "ncr log.xlsx")


@pytest.mark.slow
def test_the_preview_of_a_master_list_names_every_problem(
    manager: Person, master_list: Path
) -> None:
    preview = importers()["documents"].preview(read(master_list))
    assert len(preview.rows) == 200
    said = [str(problem) for problem in preview.errors]
    assert sum("stands in row" in each for each in said) == 3
    assert sum("Nobody is called “Walter Finch”" in each for each in said) == 4
    assert sum("is no date" in each for each in said) == 2
    assert sum("(Title): It is empty." in each for each in said) == 1
    assert len(said) == 10
    assert all(each.startswith("Row ") and ", column " in each for each in said)
    assert any("“Proceduer” was read as “procedure”" in str(each) for each in preview.problems)
    assert preview.unknown == ["I “Remarks”"]


@pytest.mark.slow
def test_the_preview_of_a_log_names_every_problem(manager: Person, log: Path) -> None:
    preview = importers()["nonconformities"].preview(read(log))
    assert len(preview.rows) == 200
    said = [str(problem) for problem in preview.errors]
    assert sum("stands in row" in each for each in said) == 2
    assert sum("(Detected): It is empty." in each for each in said) == 1
    assert sum("closed before it was detected" in each for each in said) == 1
    assert len(said) == 4


@pytest.mark.slow
def test_nothing_is_imported_until_it_is_accepted(manager: Person, master_list: Path) -> None:
    out = io.StringIO()
    call_command("import_register", "documents", master_list, by=manager.email, stdout=out)
    assert "Nothing was imported" in out.getvalue()
    assert "Row 26, column G (Owner)" in out.getvalue()
    assert not Document.objects.exists()


@pytest.mark.slow
def test_rows_with_problems_stop_the_import_unless_left_out_on_purpose(
    manager: Person, master_list: Path
) -> None:
    with pytest.raises(CommandError, match="10 rows have problems"):
        call_command(
            "import_register",
            "documents",
            master_list,
            by=manager.email,
            accept=True,
            stdout=io.StringIO(),
        )
    assert not Document.objects.exists()
    call_command(
        "import_register",
        "documents",
        master_list,
        by=manager.email,
        accept=True,
        skip_problem_rows=True,
        stdout=io.StringIO(),
    )
    assert Document.objects.count() == 190
    assert set(Revision.objects.values_list("status", flat=True)) == {"draft"}
    first = Document.objects.get(number="QP-101")
    assert "former master list" in first.revisions.get().change_summary
    # Numbers go on after the imported ones.
    new = create_document(by=manager, title="New", kind="procedure", owner=manager)
    assert new.number == "QP-301"


@pytest.mark.slow
def test_one_refused_row_leaves_nothing_behind(manager: Person, log: Path) -> None:
    importer = importers()["nonconformities"]
    preview = importer.preview(read(log))
    del preview.rows[30:]
    number = preview.rows[20][1]["number"]
    raise_nonconformity(by=manager, title="Quicker", number=number)
    with pytest.raises(Refused, match=rf"{number} already\. Nothing was imported"):
        importer.accept(preview, by=manager, skip=True)
    assert Nonconformity.objects.count() == 1


@pytest.mark.slow
def test_a_log_comes_in_with_its_closed_rows_marked_as_taken_over(
    manager: Person, log: Path
) -> None:
    importer = importers()["nonconformities"]
    preview = importer.preview(read(log))
    made = importer.accept(preview, by=manager, skip=True)
    assert len(made) == 196
    closed = Nonconformity.objects.filter(status="closed")
    assert closed.count() == 166
    assert all("former register" in nc.taken_over and not nc.verdict for nc in closed)
    assert not Nonconformity.objects.exclude(status="closed").exclude(status="open").exists()


@pytest.mark.slow
def test_a_second_import_finds_everything_there(manager: Person, log: Path) -> None:
    importer = importers()["nonconformities"]
    preview = importer.preview(read(log))
    importer.accept(preview, by=manager, skip=True)
    again = importer.preview(read(log))
    assert sum("in the system already" in str(each) for each in again.errors) == 198


def test_what_was_raised_here_is_not_closed_as_taken_over(manager: Person) -> None:
    nc = raise_nonconformity(by=manager, title="Raised here")
    with pytest.raises(PermissionDenied, match="former register"):
        take_over_closed(nc, by=manager)


def test_who_may_not_import_is_told(manager: Person, log: Path) -> None:
    other = factories.person()
    with pytest.raises(CommandError, match="do not allow"):
        call_command("import_register", "nonconformities", log, by=other.email)
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("import_register", "nonconformities", log, by="who@example.com")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK\x03\x04 broken", "cannot be read"),
        ("a.xls", b"\xd0\xcf\x11\xe0 old", "old .xls"),
        ("a.csv", b"just,some,words\n1,2,3\n", "No header row"),
        ("a.csv", b"", "No header row"),
        ("a.csv", b"\x00\x01\x02", "neither a workbook nor a CSV"),
    ],
)
def test_a_wrong_file_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused, match=said):
        importers()["documents"].preview(read(path))


def test_a_csv_with_semicolons_and_old_encoding_is_read(tmp_path: Path, manager: Person) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes("Number;Title;Owner\nQP-9;Pr\xfcfung;Claire Bouchard\n".encode("cp1252"))
    preview = importers()["documents"].preview(read(path))
    assert preview.errors == []
    assert preview.good[0][1]["title"] == "Prüfung"


def test_the_column_tells_whether_the_day_comes_first() -> None:
    day_first = DateReader(["03/04/2024", "25/04/2024"])
    assert day_first.read("03/04/2024") == date(2024, 4, 3)
    assert not day_first.is_guess("03/04/2024")
    month_first = DateReader(["03/04/2024", "04/25/2024"])
    assert month_first.read("03/04/2024") == date(2024, 3, 4)
    unclear = DateReader(["03/04/2024"])
    assert unclear.is_guess("03/04/2024")
    assert DateReader([]).read("31/02/2024") is None
    assert [letter(n) for n in (1, 26, 27, 703)] == ["A", "Z", "AA", "AAA"]
