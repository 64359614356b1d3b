"""What a file is, by its content; its name only breaks ties."""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from pathlib import PurePath

from sts_core.reading.archive import open_archive, read_part
from sts_core.reading.limits import Limits
from sts_core.reading.refusal import Reason, Refusal

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAS7BDAT = bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c"


class FileKind(StrEnum):
    """Formats that can be read."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    TEXT = "text"
    SPSS = "sav"
    STATA = "dta"
    SAS = "sas7bdat"
    SAS_TRANSPORT = "xpt"


LABELS: dict[FileKind, str] = {
    FileKind.XLSX: "Excel workbook (.xlsx)",
    FileKind.XLSB: "Excel binary workbook (.xlsb)",
    FileKind.XLS: "Excel 97-2003 workbook (.xls)",
    FileKind.ODS: "OpenDocument spreadsheet (.ods)",
    FileKind.TEXT: "text table",
    FileKind.SPSS: "SPSS data file (.sav)",
    FileKind.STATA: "Stata data file (.dta)",
    FileKind.SAS: "SAS data set (.sas7bdat)",
    FileKind.SAS_TRANSPORT: "SAS transport file (.xpt)",
}

EXTENSIONS: dict[str, FileKind] = {
    "xlsx": FileKind.XLSX,
    "xlsm": FileKind.XLSX,
    "xltx": FileKind.XLSX,
    "xltm": FileKind.XLSX,
    "xlsb": FileKind.XLSB,
    "xls": FileKind.XLS,
    "xlt": FileKind.XLS,
    "ods": FileKind.ODS,
    "csv": FileKind.TEXT,
    "tsv": FileKind.TEXT,
    "tab": FileKind.TEXT,
    "txt": FileKind.TEXT,
    "dat": FileKind.TEXT,
    "sav": FileKind.SPSS,
    "zsav": FileKind.SPSS,
    "dta": FileKind.STATA,
    "sas7bdat": FileKind.SAS,
    "xpt": FileKind.SAS_TRANSPORT,
}

_FILE_PASS = 0x2F
_RECORDS_BEFORE_PASS = 4

_CATALOG = (
    "a SAS catalogue of value labels, which is read with no table (export the data from SAS with "
    "formatted values, or as SPSS or Stata file, to have the labels)"
)
# What else people drop on the page, by its first bytes.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MM\x00*", "a picture (TIFF)"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"BZh", "a compressed file (bzip2)"),
    (b"\xfd7zXZ", "a compressed file (xz)"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file (7z)"),
    (b"Rar!", "a compressed file (RAR)"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"\x00\x01\x00\x00Standard", "a database (Access)"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"RDX", "an R workspace"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
# Too short to be told from text by themselves.
_WEAK = {b"BM", b"MZ", b"RDX", b"BZh"}

_FOREIGN_TEXT = {
    "json": "a JSON file",
    "yaml": "a YAML file",
    "yml": "a YAML file",
    "sas7bcat": _CATALOG,
    "py": "a program",
    "r": "a program",
    "md": "a text document",
}


def extension(name: str) -> str:
    """Give the ending of a file name, in lower case and without the dot."""
    return PurePath(name).suffix.lower().lstrip(".")


def recognise(name: str, data: bytes, limits: Limits) -> FileKind:
    """Tell the format of a file from its first bytes and, for archives, from their parts.

    Parameters
    ----------
    name
        Name of the file, for its ending.
    data
        All its bytes.
    limits
        Bounds for an archive.

    Raises
    ------
    Refusal
        If the file is empty, protected, broken or no table.
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise Refusal(Reason.EMPTY)
    ending = extension(name)
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        return _recognise_archive(data, limits)
    if data.startswith(_OLE2):
        return _recognise_compound(data)
    if data.startswith((b"$FL2", b"$FL3")):
        return FileKind.SPSS
    if data.startswith(b"<stata_dta>") or (ending == "dta" and 102 <= data[0] <= 115):
        return FileKind.STATA
    if data.startswith(_SAS7BDAT[:16]):
        return FileKind.SAS
    if data.startswith(b"HEADER RECORD*******"):
        return FileKind.SAS_TRANSPORT
    for magic, label in _FOREIGN:
        if data.startswith(magic) and (magic not in _WEAK or b"\x00" in data[:1024]):
            raise Refusal(Reason.WRONG_TYPE, content=label)
    expected = EXTENSIONS.get(ending)
    if expected in (FileKind.SPSS, FileKind.STATA, FileKind.SAS, FileKind.SAS_TRANSPORT):
        raise Refusal(Reason.BROKEN)
    if expected in (FileKind.XLSX, FileKind.XLS, FileKind.XLSB, FileKind.ODS) and (
        b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise Refusal(Reason.BROKEN)
    return _recognise_text(ending, data)


def _recognise_text(ending: str, data: bytes) -> FileKind:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        raise Refusal(Reason.WRONG_TYPE, content="a web page (HTML)")
    if head.startswith(b"<?xml"):
        raise Refusal(Reason.WRONG_TYPE, content="an XML file")
    if ending in _FOREIGN_TEXT:
        raise Refusal(Reason.WRONG_TYPE, content=_FOREIGN_TEXT[ending])
    return FileKind.TEXT


def _recognise_compound(data: bytes) -> FileKind:
    """Tell the kind of an OLE2 file by the stream names in its directory (UTF-16)."""
    if _stream_name("EncryptedPackage") in data:
        raise Refusal(Reason.PROTECTED)
    if _stream_name("Workbook") in data or _stream_name("Book") in data:
        if _has_file_pass(data):
            raise Refusal(Reason.PROTECTED)
        return FileKind.XLS
    if _stream_name("WordDocument") in data:
        raise Refusal(Reason.WRONG_TYPE, content="a Word document")
    if _stream_name("PowerPoint Document") in data:
        raise Refusal(Reason.WRONG_TYPE, content="a PowerPoint presentation")
    raise Refusal(Reason.BROKEN)


def _has_file_pass(data: bytes) -> bool:
    """Look for the record that marks an encrypted stream, which follows close on the first one.

    Records are a code and a length of two bytes each ([MS-XLS] 2.1.4, FilePass 2.4.117). The
    reader itself can't tell a password from a damaged file.
    """
    for found in re.finditer(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]", data):
        place = found.start()
        if place % 64:
            continue
        for _ in range(_RECORDS_BEFORE_PASS):
            if place + 4 > len(data):
                break
            code, length = struct.unpack_from("<HH", data, place)
            if code == _FILE_PASS:
                return True
            place += 4 + length
    return False


def _stream_name(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\x00\x00"


def _recognise_archive(data: bytes, limits: Limits) -> FileKind:
    with open_archive(data, limits) as archive:
        names = {name.lower() for name in archive.namelist()}
        if "xl/workbook.bin" in names:
            return FileKind.XLSB
        if "xl/workbook.xml" in names:
            return FileKind.XLSX
        if "mimetype" in names and b"opendocument.spreadsheet" in read_part(archive, "mimetype"):
            if b"encryption-data" in read_part(archive, "META-INF/manifest.xml"):
                raise Refusal(Reason.PROTECTED)
            return FileKind.ODS
        if not names:
            raise Refusal(Reason.EMPTY)
        for prefix, label in (
            ("word/", "a Word document"),
            ("ppt/", "a PowerPoint presentation"),
            ("index/", "an Apple Numbers or Pages document"),
        ):
            if any(name.startswith(prefix) for name in names):
                raise Refusal(Reason.WRONG_TYPE, content=label)
        if any(
            name.startswith(("xl/", "_rels/")) or name == "[content_types].xml" for name in names
        ):
            raise Refusal(Reason.BROKEN)
    raise Refusal(Reason.WRONG_TYPE, content="a zip archive")
