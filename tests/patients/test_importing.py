"""Files of patients: read whatever they look like, checked without writing, taken in once, resumable."""

import io
import zipfile
from datetime import date

import pytest
from django.urls import reverse
from openpyxl import Workbook

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs import worker
from contact_center.jobs.models import Job, JobItem
from patients.models import ContactPoint, MatchProfile, Patient, PatientImport
from patients.selectors.imports import counts_of, problems_of, report_of
from patients.selectors.matching import forget_rarity
from patients.services import duplicates, importing
from patients.tables.headings import guess
from patients.tables.reading import Format, UnreadableTable, rows_of, sniff
from patients.tables.values import birth_date, guess_order, split_name
from tests.factories.patients import IdentifierFactory, PatientFactory

CSV = """Nombre,Apellidos,Fecha de nacimiento,Móvil,Correo electrónico,DNI,Sexo
Íñigo,Arregui,09/03/1984,+34 600 11 22 33,i@x.example,11223344-A,varón
Ana,Soler,1990-13-40,12,no mail,,mujer
Íñigo,Arregui,09/03/1984,,,,
,Prado,01/02/1980,,,55667788-B,h
"""


def file_of(text, encoding="utf-8"):
    return io.BytesIO(text.encode(encoding) if isinstance(text, str) else text)


def sheet(*rows, merge=""):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def read(file):
    return [cells for _number, cells in rows_of(file, sniff(file))]


# ---- reading ----


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_any_usual_encoding_and_delimiter_is_read(encoding, sign):
    lines = [["Nombre", "Población"], ["José", "Peñíscola"], ["Begoña", "Logroño"], ["Iñaki", "Cádiz, España"]]
    text = "\r\n".join(sign.join(f'"{cell}"' if "," in cell else cell for cell in line) for line in lines)
    assert read(file_of(text, encoding)) == lines


def test_a_sheet_gives_dates_and_numbers_as_text_and_marks_formulas():
    file = sheet(["Name", "Born", "Phone", "Sum"], ["Ana", date(1984, 3, 9), 34600112233, "=1+1"], [], ["Eva"])
    assert read(file) == [["Name", "Born", "Phone", "Sum"], ["Ana", "1984-03-09", "34600112233", "\ue000=1+1"], ["Eva"]]


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", b"<workbook/>")
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n  \r\n", "empty"),
        (b"\x00\x00\x00", "empty"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"%PDF-1.7 ...", "not a table"),
        (b"PK\x03\x04 broken", "damaged"),
        (bomb(), "unpacks"),
        (",".join(f"c{n}" for n in range(300)).encode() + b"\n1,2\n", "300 columns"),
        (b'a,b\n"' + b"x" * 5_000_000 + b"\n", "never ends"),
        (sheet(["Name"], ["A"], merge="A1:B2").getvalue(), "merged"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content, words):
    with pytest.raises(UnreadableTable, match=words):
        read(file_of(content))


def test_nul_and_very_long_cells_do_no_harm():
    rows = read(file_of(f"Name,Born\nA\x00na,{'x' * 1_000_000}\n"))
    assert (rows[1][0], rows[1][1][:1000], len(rows[1][1])) == ("Ana", "x" * 1000, 1001)


# ---- understanding ----


def test_columns_are_guessed_in_three_languages():
    assert guess(["Given Name", "SURNAME", "D.O.B.", "Mobile", "Phone", "e-mail", "Colour"]) == [
        "given_name", "family_name", "", "phone", "other_phone", "email", "",
    ]  # fmt: skip
    assert guess(["Nombre", "Apellidos", "Fecha de nacimiento", "Móvil", "Código postal"]) == [
        "given_name", "family_name", "birth_date", "phone", "postal_code",
    ]  # fmt: skip
    assert guess(["Nome completo", "Data de nascimento", "CPF", "Celular", "CEP"]) == [
        "full_name", "birth_date", "identifier", "phone", "postal_code",
    ]  # fmt: skip


def test_dates_and_names_are_understood_or_refused():
    assert [birth_date(text, "day") for text in ("1984-03-09", "09/03/1984", "9.3.1984", "19840309")] == [
        date(1984, 3, 9)
    ] * 4
    assert birth_date("03/09/1984", "month") == date(1984, 3, 9)
    assert [birth_date(text, "day") for text in ("31/02/1984", "9/3/84", "1984", "soon")] == [None] * 4
    assert (guess_order(["03/04/1984", "03/25/1984"]), guess_order(["25/03/1984"])) == ("month", "day")
    assert [split_name(text) for text in ("Ana María Soler", "Soler Vidal, Ana", "Pelé")] == [
        ("Ana María", "Soler"),
        ("Ana", "Soler Vidal"),
        ("Pelé", "Pelé"),
    ]


# ---- checking and taking in ----


@pytest.fixture(autouse=True)
def _names_counted_anew():
    forget_rarity()
    yield
    forget_rarity()


def checked(actor, text=CSV, **settings):
    made = importing.upload(actor=actor, name="patients.csv", file=file_of(text))
    given = made.settings | settings
    importing.check(actor=actor, import_id=made.pk, columns=made.columns, settings=given)
    worker.run_jobs()
    return importing.settle(made.pk)


def taken(actor, made, known="update", alike="skip"):
    importing.run(actor=actor, import_id=made.pk, known=known, alike=alike)
    worker.run_jobs()
    return importing.settle(made.pk)


@pytest.mark.django_db
def test_a_dry_run_says_what_is_wrong_with_every_row_and_writes_nobody(supervisor):
    made = checked(supervisor)
    assert (made.status, made.row_count, Patient.objects.count()) == ("checked", 4, 0)
    assert [(row.number, row.status) for row in made.rows.all()] == [
        (2, "ready"), (3, "wrong"), (4, "ready"), (5, "wrong"),
    ]  # fmt: skip
    assert dict(problems_of(made.rows.get(number=3))) == {
        "Birth date": "Write a date such as 1984-03-09 with a year of four digits.",
        "Phone": "This is not a complete phone number. Add the country code, as in +34.",
        "E-mail": "This is not a complete e-mail address.",
    }
    assert dict(problems_of(made.rows.get(number=5))) == {"Given name": "A name is needed."}
    assert made.rows.get(number=4).same_as_row == 2


@pytest.mark.django_db
def test_rows_without_errors_become_records_once(supervisor):
    made = taken(supervisor, checked(supervisor))
    patient = Patient.objects.get()
    assert (made.status, patient.full_name, patient.birth_date, patient.gender) == (
        "done", "Íñigo Arregui", date(1984, 3, 9), "male",
    )  # fmt: skip
    assert set(patient.contact_points.values_list("value", flat=True)) == {"+34600112233", "i@x.example"}
    assert patient.identifiers.get().value == "11223344A"
    assert counts_of(made)["states"] == {
        "waiting": 0, "ready": 0, "wrong": 2, "created": 1, "updated": 0, "skipped": 1,
    }  # fmt: skip
    assert MatchProfile.objects.get().patient == patient
    assert AuditEntry.objects.filter(action="created", patient_id=patient.pk).count() == 1
    with pytest.raises(Conflict):
        importing.run(actor=supervisor, import_id=made.pk, known="update", alike="skip")


@pytest.mark.django_db
def test_people_who_are_here_are_updated_left_out_or_suggested_as_chosen(supervisor):
    head = "Record number,Given name,Family name,DOB,Phone"
    text = f"{head}\nT-1,Ana,Soler,1990-01-02,+34600112233\n,Íñigo,Arregui,1984-03-09,\n"
    known = PatientFactory(mrn="T-1", given_name="Anna", family_name="Soler", birth_date=None)
    alike = PatientFactory(given_name="Inigo", family_name="Arregui", birth_date=date(1984, 3, 9))
    duplicates.refresh_profiles([known.pk, alike.pk])
    made = checked(supervisor, text)
    assert [(row.level, row.like_id) for row in made.rows.all()] == [("known", known.pk), ("certain", alike.pk)]
    again = checked(supervisor, text)
    taken(supervisor, made)
    known.refresh_from_db()
    assert (known.given_name, known.birth_date, known.contact_points.get().value) == (
        "Ana", date(1990, 1, 2), "+34600112233",
    )  # fmt: skip
    assert Patient.objects.count() == 2
    taken(supervisor, again, known="skip", alike="create")
    assert (Patient.objects.count(), duplicates.compare_waiting() > 0) == (3, True)


@pytest.mark.django_db
def test_a_number_of_another_record_is_an_error_of_its_row_only(supervisor):
    IdentifierFactory(value="11223344A")
    text = "Given name,Family name,DNI\nAna,Soler,11223344-A\nEva,Prado,99\nEva,Prado,99\n"
    made = taken(supervisor, checked(supervisor, text), known="skip", alike="create")
    assert [(row.status, row.problems) for row in made.rows.all()] == [
        ("skipped", []),
        ("created", []),
        ("wrong", [["mrn", "An earlier row has the same number."]]),
    ]


@pytest.mark.django_db
def test_a_worker_that_dies_leaves_the_rest_to_the_next(supervisor, monkeypatch):
    lines = "".join(f"Name{n},Family{n},1990-01-01\n" for n in range(450))
    made = checked(supervisor, f"Given name,Family name,DOB\n{lines}")
    importing.run(actor=supervisor, import_id=made.pk, known="update", alike="create")
    monkeypatch.setattr(importing, "refresh_profiles", _dies_the_second_time())
    with pytest.raises(KeyboardInterrupt):
        worker.run_jobs()
    assert Patient.objects.count() == 200
    Job.objects.update(claimed_at=None)
    monkeypatch.undo()
    worker.run_jobs()
    assert (importing.settle(made.pk).status, Patient.objects.count()) == ("done", 450)
    assert JobItem.objects.filter(job__kind=importing.IMPORT, status="done").count() == 3


def _dies_the_second_time():
    calls = []

    def refresh(ids):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return duplicates.refresh_profiles(ids)

    return refresh


@pytest.mark.django_db
def test_a_stopped_import_goes_on(supervisor):
    from contact_center.jobs import services as jobs

    made = checked(supervisor)
    importing.run(actor=supervisor, import_id=made.pk, known="update", alike="skip")
    jobs.stop(actor=supervisor, job_id=PatientImport.objects.get(pk=made.pk).job_id)
    assert importing.settle(made.pk).status == "stopped"
    assert (taken(supervisor, made).status, Patient.objects.count()) == ("done", 1)


@pytest.mark.django_db
def test_what_cannot_be_read_on_the_way_is_said_and_the_columns_can_be_chosen_anew(supervisor):
    text = "Given name,Family name\nAna,Soler\n" + '"never,ends\n' + "x" * 5_000_000
    with pytest.raises(Refused, match="never ends"):
        importing.upload(actor=supervisor, name="x.csv", file=file_of(text))
    lines = "Ana,Soler\n" * 60
    made = checked(supervisor, f'Given name,Family name\n{lines}"' + "x" * 5_000_000)
    assert (made.status, made.check_job.items.get().message[:11]) == ("uploaded", "Near line 6")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["given_name", "", ""], "Say which columns"),
        (["given_name", "family_name", "family_name"], "Chosen for several columns: Family name"),
    ],
)
def test_columns_that_make_no_person_are_refused(supervisor, columns, words):
    made = importing.upload(actor=supervisor, name="x.csv", file=file_of("a,b,c\n1,2,3\n"))
    with pytest.raises(Refused, match=words):
        importing.check(actor=supervisor, import_id=made.pk, columns=columns, settings=made.settings)


@pytest.mark.django_db
def test_the_report_of_errors_carries_no_formula(supervisor, signed_in):
    made = checked(supervisor, "Given name,Family name,DOB\n=cmd|' /C calc'!A0,,soon\n")
    assert list(report_of(made))[1][2] == "=cmd|' /C calc'!A0"
    lines = b"".join(signed_in(supervisor).get(reverse("patients:import-errors", args=[made.pk]))).decode("utf-8-sig")
    assert lines.splitlines()[1].split(",")[2] == "'=cmd|' /C calc'!A0"


@pytest.mark.django_db
def test_unusual_names_are_taken_in_as_they_are(supervisor):
    text = "Given name,Family name\nX,Y\nمحمد,العلي\n🙂,Soler\n" + "z" * 1_000_000 + ",Soler\n"
    made = taken(supervisor, checked(supervisor, text))
    assert list(Patient.objects.order_by("pk").values_list("given_name", flat=True)) == ["X", "محمد", "🙂"]
    assert problems_of(made.rows.get(status="wrong")) == [("Given name", "This text is far too long.")]


# ---- pages ----


@pytest.mark.django_db
def test_a_file_goes_through_all_pages(supervisor, signed_in):
    lead = signed_in(supervisor)
    empty = lead.post(reverse("patients:imports"), {"file": file_of("")})
    assert (empty.status_code, "The file is empty." in empty.content.decode()) == (422, True)
    file = file_of(CSV)
    file.name = "patients.csv"
    url = lead.post(reverse("patients:imports"), {"file": file}).url
    made = PatientImport.objects.get()
    page = lead.get(url).content.decode()
    assert ["Fecha de nacimiento" in page, "Arregui" in page] == [True, True]
    given = {f"column_{place}": name for place, name in enumerate(made.columns)}
    wrong = lead.post(f"{url}columns/", given | {"dates": "day", "identifier_system": "dni", "column_0": "family_name"})
    assert (wrong.status_code, "Chosen for several columns" in wrong.content.decode()) == (422, True)
    lead.post(f"{url}columns/", given | {"dates": "day", "identifier_system": "dni"})
    assert "Nothing is written yet" in lead.get(url).content.decode()
    worker.run_jobs()
    page = lead.get(url).content.decode()
    assert ["Rows with errors" in page, "Take them in" in page] == [True, True]
    lead.post(f"{url}run/", {"known": "update", "alike": "skip"})
    worker.run_jobs()
    assert "What became of the rows" in lead.get(url).content.decode()
    assert Patient.objects.get().identifiers.get().system == "dni"


@pytest.mark.django_db
def test_an_import_is_its_owners_only(supervisor, admin, agent, signed_in):
    made = importing.upload(actor=supervisor, name="x.csv", file=file_of(CSV))
    url = reverse("patients:import", args=[made.pk])
    assert [signed_in(user).get(url).status_code for user in (admin, agent)] == [404, 403]
    assert ContactPoint.objects.count() == 0


def test_a_format_is_kept_as_words():
    assert Format(**Format("csv", "utf-8", ";").as_json()) == Format("csv", "utf-8", ";")
