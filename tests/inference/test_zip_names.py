from __future__ import annotations

import struct
import zlib

import pytest

from cifar_core.inference.archive import Archive
from tests.inference import hostile

NAMES = {
    "cp932": ["写真表.png", "ソフト/能力十表.png", "犬.png", "新しいフォルダー/予定1.jpg"],
    "gbk": ["猫.png", "照片.png", "新建文件夹/飞机.png", "微信图片_2024.jpg", "鹿.png"],
    "big5": ["貓.png", "測試.png", "功能許蓋.png", "新資料夾/卡車.png", "船.png"],
    "cp437": ["Käfer.png", "naïve.png", "Größe.png", "señor.png", "été.png"],
    "cp850": ["São Paulo.png", "Ærø.png", "Übergröße.png", "Køln.png", "ÁRBOL.png"],
    "cp866": ["собака.png", "КОТ.png", "Новая папка/самолёт.png", "IMG_кот.png"],
    "cp949": ["고양이.png", "강아지.png", "새 폴더/비행기.png", "사진_2024.jpg", "스크린샷.png"],
    "cp1252": ["Käfer.png", "été/naïve.png", "Größe.png", "señor.png", "Øresund.png", "école.png"],
    "utf-8": ["Käfer.png", "猫.png", "собака.png", "개.png", "😀.png", "γάτα.png"],
}


def zip_of(
    names: list[bytes], *, flags: int = 0, extras: list[bytes] | None = None, data: bytes = b"x"
) -> bytes:
    """A zip of stored files under names of any bytes, as systems write them."""
    body, directory, crc = b"", b"", zlib.crc32(data)
    for name, extra in zip(names, extras or [b""] * len(names), strict=True):
        facts = struct.pack("<HHHHIIIHH", flags, 0, 0, 0, crc, len(data), len(data), len(name), 0)
        more = struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        central = facts[:-2] + struct.pack("<H", len(extra))
        directory += b"PK\1\2" + struct.pack("<HH", 20, 20) + central + more + name + extra
        body += b"PK\3\4" + struct.pack("<H", 20) + facts + name + data
    count = len(names)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


@pytest.mark.parametrize("code", NAMES)
def test_names_without_a_mark_are_read_as_they_were_written(code: str) -> None:
    names = NAMES[code]
    data = zip_of([name.encode(code) for name in names])
    archive = Archive(data)
    assert list(archive.names) == names
    assert [archive.read(place) for place in range(len(names))] == [b"x"] * len(names)


@pytest.mark.parametrize(("code", "name"), [(code, names[0]) for code, names in NAMES.items()])
def test_a_single_name_is_read_as_it_was_written(code: str, name: str) -> None:
    assert Archive(zip_of([name.encode(code)])).names == (name,)


SINGLE = {
    "cp949": [
        "개.png",
        "사진.png",
        "자동차.png",
        "트럭.png",
        "개구리.png",
        "새 폴더/말.png",
        "배.png",
    ],
    "cp1252": ["árbol.png", "pájaro.png", "más.png", "café.png", "Öl.png", "Straße.png", "été.png"],
    "cp850": ["Fußball.png", "árbol.png", "café.png", "Öl.png", "São.png", "Straße.png", "été.png"],
    "gbk": ["狗.png", "汽车.png", "鸟.png", "青蛙.png", "马.png", "船.png", "上海照片.png"],
    "cp932": ["猫.png", "飛行機.png", "トラック.png", "カエル.png", "鳥.png", "写真.png"],
    "big5": ["狗.png", "汽車.png", "青蛙.png", "飛機.png", "馬.png", "照片.png"],
    "cp866": ["кошка.png", "Птица.png", "самолёт.png", "лягушка.png"],
}


@pytest.mark.parametrize(("code", "name"), [(code, one) for code in SINGLE for one in SINGLE[code]])
def test_one_name_alone_tells_its_code(code: str, name: str) -> None:
    assert Archive(zip_of([name.encode(code)])).names == (name,)


def test_a_name_whose_second_byte_is_a_backslash_keeps_its_image() -> None:
    png = hostile.good_files()["PNG"]
    names = [name.encode("cp932") for name in ("表.png", "ソ.png", "十.png", "能.png")]
    archive = Archive(zip_of(names, data=png))
    assert archive.names == ("表.png", "ソ.png", "十.png", "能.png")
    assert all(archive.read(place) == png for place in range(4))


def test_accents_that_macos_writes_apart_come_together() -> None:
    assert Archive(zip_of(["Ka\u0308fer.png".encode()])).names == ("Käfer.png",)


def test_utf8_names_are_read_beside_those_of_a_code_page() -> None:
    names = ["собака.png".encode(), "Käfer.png".encode("cp850")]
    assert Archive(zip_of(names)).names == ("собака.png", "Käfer.png")


def test_info_zips_unicode_name_is_believed_where_its_checksum_fits() -> None:
    raw = b"?.png" + b"\x84"
    path = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + "고양이.png".encode()
    stale = b"\x01" + struct.pack("<I", 1) + b"other.png"
    extras = [struct.pack("<HH", 0x7075, len(body)) + body for body in (path, stale)]
    assert Archive(zip_of([raw, b"a\x84b.png"], extras=extras)).names == ("고양이.png", "aäb.png")


def test_a_utf8_mark_that_lies_costs_no_image() -> None:
    archive = Archive(zip_of(["Käfer.png".encode("cp850"), b"a.png"], flags=0x800))
    assert archive.names == ("Käfer.png", "a.png")
    assert [archive.read(0), archive.read(1)] == [b"x", b"x"]


def test_a_utf8_mark_only_before_the_file_costs_no_image() -> None:
    data = bytearray(zip_of(["Käfer.png".encode()]))
    data[7] |= 8
    assert Archive(bytes(data)).read(0) == b"x"


def test_backslashes_separate_folders() -> None:
    data = zip_of([b"cats\\a.png", b"cats\\.b.png"])
    assert Archive(data).names == ("cats/a.png", "cats/.b.png")
    assert Archive(zip_of([b"cats\\"], data=b"")).names == ()


def test_bytes_of_any_kind_are_a_name_and_no_file_is_left_out() -> None:
    names = [bytes([first, second]) + b".png" for first in range(1, 256) for second in (92, 200)]
    archive = Archive(zip_of(names))
    left_out = {b"._.png"}
    assert len(archive.names) == len([name for name in names if name not in left_out])
