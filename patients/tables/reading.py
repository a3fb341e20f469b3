"""A CSV or XLSX file as rows of text, in bounded memory, whatever somebody hands in.

Everything that cannot be read raises `UnreadableTable` with a sentence that says what to do. Cells are text: dates in
ISO form, whole numbers without a point. A formula is marked, never computed.
"""

import codecs
import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import IO, Any

from django.utils.translation import gettext as _

MOST_COLUMNS, MOST_ROWS, MOST_LETTERS = 100, 250_000, 1000
MOST_UNPACKED, MOST_RATIO, MOST_PARTS = 400_000_000, 200, 2000
MOST_STRINGS = 100_000_000
LONGEST_LINE = 4_000_000
SAMPLE = 256 * 1024
FORMULA = "\ue000"
"""Stands before the text of a formula: a letter that no file means anything by."""
TOO_LONG = "\ue001"
"""Stands at the end of a cell that was cut."""
ENCODINGS = {
    "utf-8-sig",
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "cp1250",
    "cp1251",
    "cp850",
    "iso8859-15",
    "mac-roman",
}


WESTERN = set("áéíóúàâãäçêëèìïñôõöòüùßÁÉÍÓÚÀÂÃÄÇÊËÈÌÏÑÔÕÖÒÜÙ¿¡ºª€·’‘“”–")


class UnreadableTable(Exception):
    """The file is not a table that we read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is to be read."""

    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def as_json(self) -> dict[str, str]:
        """For a row of the database."""
        return asdict(self)


def sniff(file: IO[bytes]) -> Format:
    """What kind of file this is; reads its beginning only. Raises UnreadableTable."""
    head = _head(file)
    if not head.strip(b"\x00\r\n\t ,;\xef\xbb\xbf\xfe\xff"):
        raise UnreadableTable(_("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        return Format("xlsx", sheet=_check_workbook(file))
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTable(_("This is an old Excel file (XLS). Save it as XLSX or CSV and choose it again."))
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z")):
        raise UnreadableTable(_("This is not a table. Choose a CSV or XLSX file."))
    encoding = _encoding_of(head, is_whole=len(head) < SAMPLE)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return Format("csv", encoding=encoding, delimiter=_delimiter_of(text))


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    head = file.read(SAMPLE)
    file.seek(0)
    return head


def _encoding_of(head: bytes, *, is_whole: bool) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=is_whole)
        return "utf-8"
    except UnicodeDecodeError:
        foreign = [char for char in head.decode("cp1252", "replace") if ord(char) > 127]
        if sum(char in WESTERN for char in foreign) >= 0.9 * len(foreign):
            return "cp1252"
        from charset_normalizer import from_bytes  # its tables are for files of unknown encoding only

        found = from_bytes(
            head[: 64 * 1024], cp_isolation=[name for name in ENCODINGS if not name.startswith("utf")]
        ).best()
        return found.encoding if found else "cp1252"


def _delimiter_of(text: str) -> str:
    """The sign that stands as often in every one of the first lines."""
    lines = [line for line in text.splitlines()[:20] if line.strip()][:-1] or text.splitlines()[:1]
    best, most = ",", 0
    for sign in ",;\t|":
        counts = Counter(line.count(sign) for line in lines)
        usual, times = counts.most_common(1)[0] if counts else (0, 0)
        if usual and usual * times > most:
            best, most = sign, usual * times
    return best


def _check_workbook(file: IO[bytes]) -> str:
    """The name of the first sheet; refuses what would unpack to more than a table can be."""
    try:
        with zipfile.ZipFile(file) as parts:
            infos = parts.infolist()
            unpacked, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
            strings = sum(info.file_size for info in infos if info.filename.endswith("sharedStrings.xml"))
            is_bomb = unpacked > MOST_UNPACKED or (unpacked > 10_000_000 and unpacked > MOST_RATIO * packed)
            if is_bomb or len(infos) > MOST_PARTS or strings > MOST_STRINGS:
                raise UnreadableTable(_("This file unpacks to far more than a table of patients can be."))
            if "xl/workbook.xml" not in parts.namelist():
                raise UnreadableTable(_("This is not an XLSX file. Save the table as XLSX or CSV and choose it again."))
        book = _workbook(file)
        sheet = next((name for name in book.sheetnames if book[name].sheet_state == "visible"), "")
        book.close()
    except UnreadableTable:
        raise
    except Exception:
        raise UnreadableTable(_("This XLSX file is damaged. Save it again, or as CSV.")) from None
    finally:
        file.seek(0)
    if not sheet:
        raise UnreadableTable(_("This file has no visible sheet."))
    return sheet


def _workbook(file: IO[bytes]) -> Any:
    from openpyxl import load_workbook  # heavy: only who reads such a file needs it

    return load_workbook(file, read_only=True, keep_links=False)


def rows_of(file: IO[bytes], how: Format) -> Iterator[tuple[int, list[str]]]:
    """Every row that has something in it, with its number as a spreadsheet counts; the head is the first.

    Raises UnreadableTable where it cannot go on: too many columns or rows, merged cells, a damaged file.
    """
    count = 0
    for number, cells in _csv_rows(file, how) if how.kind == "csv" else _xlsx_rows(file, how):
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MOST_COLUMNS:
            words = {"found": len(cells), "most": MOST_COLUMNS}
            raise UnreadableTable(_("This file has %(found)s columns; at most %(most)s are read.") % words)
        count += 1
        if count > MOST_ROWS + 1:
            raise UnreadableTable(
                _("This file has more than %(most)s rows. Take it in by parts.") % {"most": MOST_ROWS}
            )
        yield number, [_cut(cell) for cell in cells]


def _cut(cell: str) -> str:
    return cell if len(cell) <= MOST_LETTERS else cell[:MOST_LETTERS] + TOO_LONG


def _csv_rows(file: IO[bytes], how: Format) -> Iterator[tuple[int, list[str]]]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=how.encoding, errors="replace", newline="")
    csv.field_size_limit(LONGEST_LINE)
    lines = csv.reader(text, delimiter=how.delimiter)
    number = 0
    try:
        while True:
            try:
                cells = next(lines)
            except StopIteration:
                return
            except csv.Error:
                words = {"line": lines.line_num}
                raise UnreadableTable(
                    _("Near line %(line)s a text never ends. Perhaps a quotation mark is missing.") % words
                ) from None
            number += 1
            yield number, [cell.replace("\x00", "").strip() for cell in cells]
    finally:
        text.detach()


def _xlsx_rows(file: IO[bytes], how: Format) -> Iterator[tuple[int, list[str]]]:
    file.seek(0)
    book = _workbook(file)
    try:
        sheet = book[how.sheet]
        _refuse_merged_cells(file, sheet)
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(), 1):
            if len(row) > 16 * MOST_COLUMNS:
                raise UnreadableTable(_("This sheet has thousands of columns. Copy the table into a new sheet."))
            yield number, [_text_of(cell) for cell in row]
    except UnreadableTable:
        raise
    except Exception:
        raise UnreadableTable(_("This XLSX file is damaged. Save it again, or as CSV.")) from None
    finally:
        book.close()


def _refuse_merged_cells(file: IO[bytes], sheet: Any) -> None:
    """The list of merged cells stands behind all rows, where a row-by-row reader comes too late."""
    path = sheet._worksheet_path
    with zipfile.ZipFile(file) as parts, parts.open(path) as part:
        kept = b""
        while piece := part.read(1 << 20):
            if b"<mergeCell " in kept + piece:
                raise UnreadableTable(
                    _("Cells are merged in this sheet. Unmerge them, so that every row stands on its own.")
                )
            kept = piece[-16:]


def _text_of(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if getattr(cell, "data_type", "") == "f":
        return FORMULA + str(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if (value.hour, value.minute, value.second) == (0, 0, 0) else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).replace("\x00", "").strip()
