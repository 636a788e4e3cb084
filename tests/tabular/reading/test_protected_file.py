"""Excel files with a password, built by hand from the published formats: told as such, and others not."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from xai_core.errors import InvalidTable
from xai_core.tabular import read_table

HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
BOF = struct.pack("<HH", 0x0809, 16) + bytes(16)
PASSWORD = struct.pack("<HH", 0x2F, 54) + bytes(54)
WRITE_PROTECTION = struct.pack("<HH", 0x86, 0)
CODE_PAGE = struct.pack("<HHH", 0x42, 2, 1200)


@pytest.mark.parametrize(
    ("data", "is_protected"),
    [
        (HEAD + "EncryptionInfo".encode("utf-16-le") + bytes(99) + "EncryptedPackage".encode("utf-16-le"), True),
        (HEAD + BOF + PASSWORD, True),
        (HEAD + BOF + WRITE_PROTECTION + PASSWORD, True),
        (HEAD + BOF + CODE_PAGE + PASSWORD, False),
        (HEAD + BOF + WRITE_PROTECTION, False),
        (HEAD + BOF, False),
        (HEAD, False),
    ],
)
def test_a_file_with_a_password_is_told_from_an_old_one(data: bytes, is_protected: bool) -> None:
    with pytest.raises(InvalidTable) as problem:
        read_table(data, "pay.xlsx")
    assert ("protected by a password" in str(problem.value)) is is_protected
    assert ("old Excel file" in str(problem.value)) is not is_protected


def test_a_workbook_in_a_zip_with_a_password_is_told_too() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("xl/workbook.xml", "<x/>")
    data = bytearray(out.getvalue())
    # Bit 0 of the flags, in the entry itself and in the list of entries.
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + place] |= 1
    with pytest.raises(InvalidTable, match="protected by a password"):
        read_table(bytes(data))
