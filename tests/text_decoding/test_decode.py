"""Texts in the encodings of the world come back as they were written, or the guess is said to be unsure."""

from __future__ import annotations

import pytest

from tests.text_decoding.corpus import CASES, write_table
from xai_core.errors import InvalidTable
from xai_core.text_decoding import (
    ENCODINGS,
    DecodedText,
    convert_to_utf8,
    decode_names,
    decode_table,
    decode_text,
    find_encoding,
)

# Among encodings that are rare, short tables are read in a commoner one, which is said to be unsure.
RARE = {"mac-cyrillic", "cp857", "koi8-u"}


def decode(text: str, encoding: str) -> DecodedText:
    return decode_text(text.encode(encoding))


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_tables_of_twelve_words_are_read_as_written(language: str, encoding: str) -> None:
    for seed in range(2):
        text = write_table(language, seed, words=12)
        result = decode(text, encoding)
        assert result.utf8.decode() == text, result.encoding
        assert result.lost_letters == 0 and result.encoding in ENCODINGS
    assert decode(write_table(language, words=30), encoding).is_sure


@pytest.mark.parametrize(("language", "encoding"), [case for case in CASES if case[1] not in RARE])
def test_a_wrong_guess_is_never_sure(language: str, encoding: str) -> None:
    results = [(text, decode(text, encoding)) for text in (write_table(language, seed, words=4) for seed in range(4))]
    assert all(result.utf8.decode() == text for text, result in results if result.is_sure)
    assert sum(result.utf8.decode() == text for text, result in results) >= 3


def test_letters_far_below_the_beginning_count() -> None:
    text = "n,word\n" + "1,plain\n" * 50_000 + write_table("Russian", words=12)
    assert decode(text, "cp1251").utf8.decode() == text
    assert decode(text, "cp1251").encoding == "windows-1251"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "Temp (°C),b\n1,2\n", "price €,b\n1,2\n", "name,b\nJosé,2\nMüller,3\n"])
def test_ascii_and_single_western_letters_are_sure(text: str) -> None:
    result = decode(text, "cp1252")
    assert result.utf8.decode() == text and result.is_sure


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["Mandarin", "Russian", "German"])
def test_unicode_is_sure(language: str, encoding: str) -> None:
    text = write_table(language)
    result = decode(text, encoding)
    assert result.utf8.decode() == text and result.is_sure and result.encoding == encoding[:6].rstrip("-")


def test_one_broken_letter_does_not_spoil_the_others() -> None:
    text = write_table("French", words=30)
    result = decode_text(text.encode() + b"Gen\xe8ve\n")
    assert result.utf8.decode() == text + "Gen\ufffdve\n"
    assert (result.encoding, result.is_sure, result.lost_letters) == ("utf-8", False, 1)


def test_the_encoding_can_be_given() -> None:
    data = "город,n\nда,1\n".encode("cp866")
    result = decode_text(data, "IBM866")
    assert result.utf8.decode() == "город,n\nда,1\n" and result.encoding == "cp866" and result.is_sure
    assert decode_text(data, "cp1251").utf8.decode() != result.utf8.decode()
    assert decode_text(b"\xef\xbb\xbfa,b", "utf-8").utf8 == b"a,b"
    for encoding in ("utf-16", "utf-16-le", "utf-32-le"):
        assert decode_text("語語".encode(encoding), encoding.removesuffix("-le")).utf8.decode() == "語語"
    with pytest.raises(InvalidTable, match="cannot be read as Unicode"):
        decode_text(b"\xff\xff\xff\xff", "utf-32")
    with pytest.raises(InvalidTable, match=r"'nothing' is not known\. Choose one of utf-8, utf-16"):
        decode_text(data, "nothing")
    with pytest.raises(InvalidTable, match="cannot be read as Unicode"):
        decode_text(data, "utf-8")


def test_every_encoding_has_one_name_that_python_knows() -> None:
    assert all(find_encoding(name) == name for name in ENCODINGS)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(InvalidTable, match="cannot be read as text"):
        decode_table(bytes(range(256)) * 20)
    assert convert_to_utf8("größe".encode("cp1252")) == "größe".encode()


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp932", "表.jpg ソ.jpg 猫/1.jpg 能面/2.jpg"),
        ("cp932", "写真/犬/ポチ.png 写真/猫/タマ.png"),
        ("gb18030", "猫/1.jpg 狗/2.jpg 图片/海.jpg"),
        ("big5", "貓/1.jpg 狗/2.jpg 圖片/功能.jpg"),
        ("cp949", "고양이/1.jpg 강아지/2.jpg"),
        ("cp866", "Кошки/кот.jpg Собаки/пёс.jpg"),
        ("cp1251", "Кошки/кот.jpg Собаки/собака.jpg"),
        ("cp437", "Käfer/größe.jpg Bäume/Äste.jpg"),
        ("cp850", "été/forêt.jpg garçon/père.jpg"),
        ("cp1252", "Käfer/größe.jpg Bäume/Äste.jpg"),
        ("cp1253", "γάτα/1.jpg σκύλος/2.jpg"),
        ("utf-8", "猫/1.jpg Käfer/2.jpg кот/3.jpg"),
        ("ascii", "cats/1.jpg dogs\\2.jpg"),
    ],
)
def test_names_in_zips(encoding: str, names: str) -> None:
    written = names.split()
    decoded, used, _ = decode_names([name.encode(encoding) for name in written])
    assert decoded == written, used


def test_no_name_is_lost_in_a_zip_of_two_encodings() -> None:
    readable = ["猫/1.jpg", "写真/犬.jpg", "東京.jpg"]
    names = [*(name.encode("cp932") for name in readable), b"\xff1.jpg", b"\xfe1.jpg"]
    decoded = decode_names(names)[0]
    assert decoded[:3] == readable
    assert len(set(decoded)) == 5
