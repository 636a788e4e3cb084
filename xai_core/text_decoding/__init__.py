"""Text in any encoding: its letters tell which."""

from xai_core.text_decoding.alphabets import ENCODINGS
from xai_core.text_decoding.decode import (
    DecodedText,
    convert_to_utf8,
    decode_names,
    decode_table,
    decode_text,
    find_encoding,
    find_separator_line,
)

__all__ = [
    "ENCODINGS",
    "DecodedText",
    "convert_to_utf8",
    "decode_names",
    "decode_table",
    "decode_text",
    "find_encoding",
    "find_separator_line",
]
