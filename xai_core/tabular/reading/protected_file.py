"""Tell Excel files that are protected by a password, XLSX and XLS, from others.

Both lie in a compound file (MS-CFB): an encrypted XLSX as a stream of a known name (MS-OFFCRYPTO 2.3), an encrypted XLS
as a workbook that begins with a FILEPASS record (MS-XLS 2.4.117).
"""

from __future__ import annotations

import struct

COMPOUND = b"\xd0\xcf\x11\xe0"
PROTECTED = (
    "This Excel file is protected by a password and cannot be read. Open it in Excel, choose File, Info, "
    "Protect Workbook, Encrypt with Password, leave the password empty and save it; then try again."
)
_PACKAGE_NAME = "EncryptedPackage".encode("utf-16-le")
# A BOF record of a workbook of Excel 97 and later: its number and its length.
_WORKBOOK_START = b"\x09\x08\x10\x00"
_FILE_PASSWORD, _WRITE_PROTECTION = 0x2F, 0x86


def is_protected(data: bytes) -> bool:
    """Return whether these are the bytes of an Excel file that needs a password."""
    if not data.startswith(COMPOUND):
        return False
    return _PACKAGE_NAME in data or _has_password_record(data)


def _has_password_record(data: bytes) -> bool:
    """Return whether a workbook's first record after its start, or after its write protection, names a password."""
    start = data.find(_WORKBOOK_START)
    place = start + 20
    while start >= 0 and place + 4 <= len(data):
        record, length = struct.unpack_from("<HH", data, place)
        if record != _WRITE_PROTECTION:
            return bool(record == _FILE_PASSWORD)
        place += 4 + length
    return False
