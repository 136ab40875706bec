"""The names in a zip whose bytes do not say in which code they were written.

Zips mark names that are UTF-8. Windows writes others in the code page of its language and macOS
writes UTF-8 without the mark. All names of a zip are judged together: the code in which they make
the most usual words wins.
"""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

CODES = ("utf-8", "cp850", "cp437", "cp866", "cp932", "gbk", "big5", "cp1252", "cp949")
"""UTF-8 and the code pages of western, Russian, Japanese, Chinese and Korean systems.

The first of equals wins."""

MAX_JUDGED_NAMES = 200

SURE = 1.9
"""From this likelihood on a name is what it seems, whatever the others are."""

UTF8_MARK = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field with the name in UTF-8

# Characters that names of image files often hold: a short name alone says little of its code.
_USUAL = frozenset(
    "写真画像図表新規名称絵撮影資料東京日本犬猫馬鳥鹿蛙船車飛行機自動空港花山海川子家族旅春夏秋冬"
    "圖片照相檔案文件夾測試圖像貓狗鳥船卡車汽車青蛙飛機截屏螢幕我的家小大中國台灣香港北上人年月時"
    "图片照相档案夹测试图像猫狗鸟马鹿船卡车汽车青蛙飞机截图屏幕微信我的家小大中国新建副本未命名风景"
)

# The syllables that most Korean text is made of; in other codes few pairs of bytes are among them.
_USUAL_HANGUL = frozenset(
    "이다는을에가의고지하기사리자도로나어인시대한해그일들라아전부정수있것서스장제보과면거소성상주원구"
    "동마유세무모여미조용니오안신비우연경공생실분국학교문화계방통선단발행현식물만명개중회차반적관양내"
    "산저치레트드터진음강새폴더파복본람숭슴말개구슴배행끼캡처크린바탕벽가족여름겨울봄을친님크럭말돼곰호랑코토늑태택검흰색큰"
)
_USUAL_LATIN = frozenset("äöüßéèêàâçñáíóúãåøæôîÄÖÜÉÅØÁÇÑ")


def read_names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Returns the names of a zip's entries, each as whoever packed it saw it.

    Args:
        entries: As :meth:`zipfile.ZipFile.infolist` gives them.
    """
    names = [_marked(entry) for entry in entries]
    raw = [
        entry.orig_filename.encode("cp437") if name is None else b""
        for entry, name in zip(entries, names, strict=True)
    ]
    unknown = list(dict.fromkeys(one for one in raw if one))
    order = _codes_by_likelihood(unknown[:MAX_JUDGED_NAMES])
    return [
        _decode(one, order) if name is None else name for one, name in zip(raw, names, strict=True)
    ]


def _marked(entry: zipfile.ZipInfo) -> str | None:
    """Returns a name whose code is sure, or None."""
    name = entry.orig_filename
    if entry.flag_bits & UTF8_MARK or name.isascii():
        return name
    raw = name.encode("cp437")
    if stored := _unicode_path(entry.extra, raw):
        return stored
    return raw.decode("utf-8") if _likelihood(raw, "utf-8") >= SURE else None


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """Returns the name that Info-ZIP's extra field gives in UTF-8; empty without one."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        body = extra[place + 4 : place + 4 + length]
        if kind == _UNICODE_PATH and body[:5] == b"\x01" + struct.pack("<I", zlib.crc32(raw)):
            return body[5:].decode("utf-8", "ignore")
        place += 4 + length
    return ""


def _codes_by_likelihood(names: Sequence[bytes]) -> list[str]:
    """Returns the codes, the most likely one first."""

    def mean(code: str) -> float:
        return sum(_likelihood(name, code) for name in names) / max(1, len(names))

    return sorted(CODES, key=mean, reverse=True)


def _decode(raw: bytes, codes: Sequence[str]) -> str:
    for code in codes:
        try:
            return raw.decode(code)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp437")  # which gives every byte a character


def _likelihood(raw: bytes, code: str) -> float:
    """Returns how usual a name would be in a code: from -1, impossible, to 2."""
    try:
        name = raw.decode(code)
    except UnicodeDecodeError:
        return -1.0
    sizes = [0 if letter.isascii() else len(letter.encode(code)) for letter in name]
    usual = sum(size * _usualness(name, place, code) for place, size in enumerate(sizes) if size)
    return usual / max(1, sum(sizes))


def _usualness(name: str, place: int, code: str) -> float:
    """Returns how usual a character that is not ASCII is where it stands, from 0 to 2."""
    letter = name[place]
    if name[place + 1 : place + 3] == "\\.":
        return 0.0  # a folder, and in it a name that is all ending: half a character
    if code == "utf-8":
        return _usualness_in_utf8(name, place)
    if code in ("cp850", "cp437", "cp1252"):
        return _usualness_in_latin(name, place)
    if code == "cp866":
        return _usualness_in_russian(name, place)
    return _usualness_in_korean(letter) if code == "cp949" else _usualness_in_kanji(letter, code)


def _usualness_in_kanji(letter: str, code: str) -> float:
    """In Japanese and Chinese."""
    if letter in _USUAL:
        return 1.4
    lead, *rest = letter.encode(code)
    if code == "cp932":
        if not rest:
            return 0.2  # half-width katakana
        kana, common = 0x829F <= lead * 256 + rest[0] <= 0x8396, 0x88 <= lead <= 0x98
        return 1.2 if kana or letter == "ー" else 0.9 if common else 0.4
    if code == "gbk":
        if rest[0] < 0xA1 or lead < 0xA1:
            return 0.15  # rare characters, which GBK added
        return 0.95 if 0xB0 <= lead <= 0xD7 else 0.4
    return _in_other_codes(letter) if 0xA4 <= lead <= 0xC6 else 0.3


def _usualness_in_utf8(name: str, place: int) -> float:
    """Three bytes that happen to be UTF-8 are rare; two may be a Chinese character's."""
    letter, before, after = name[place], name[place - 1 : place], name[place + 1 : place + 2]
    if len(letter.encode()) > 2 or (unicodedata.combining(letter) and before.isalpha()):
        return 2.0
    if not letter.isalpha():
        return 0.3
    if _is_latin(letter):
        capitals = place >= 2 and name[place - 2 : place].isupper() and before.isalpha()
        fits = not (capitals and letter.islower())
        return 2.0 if fits and _plain_letters(before + after) else 0.8
    return 2.0 if any(one.isalpha() and not one.isascii() for one in (before, after)) else 0.8


def _in_other_codes(letter: str) -> float:
    """How usual a traditional character is: usual ones are written in Japan and Korea, too."""
    found = 0
    for code, last in (("shift_jis", 0x98), ("euc_kr", 0xFD)):
        try:
            found += letter.encode(code)[0] <= last
        except UnicodeEncodeError:
            continue
    return (0.8, 0.9, 1.05)[found]


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")


def _usualness_in_latin(name: str, place: int) -> float:
    letter, before, after = name[place], name[place - 1 : place], name[place + 1 : place + 2]
    if not _is_latin(letter):
        return 0.1 if unicodedata.category(letter) in ("Po", "Pi", "Pf", "Sc", "No") else 0.0
    beside = _plain_letters(before + after)
    if letter == "ß" and before.casefold() not in frozenset("aeiouyäöü"):
        return 0.2
    if (before.islower() and letter.isupper()) or (letter.islower() and after.isupper()):
        return 0.2
    if not beside and any(one.isalpha() for one in before + after):
        return 0.4  # two letters with accents side by side are rare
    return (0.8 if letter in _USUAL_LATIN else 0.6) + 0.35 * beside


def _plain_letters(letters: str) -> int:
    return sum(one.isascii() and one.isalpha() for one in letters)


def _usualness_in_korean(letter: str) -> float:
    if letter in _USUAL_HANGUL:
        return 1.3
    is_common = "가" <= letter <= "힣" and letter.encode("cp949")[1] >= 0xA1
    return 0.6 if is_common else 0.1  # a syllable that Windows added, or a Chinese character


def _usualness_in_russian(name: str, place: int) -> float:
    letter, before, after = name[place], name[place - 1 : place], name[place + 1 : place + 2]
    if not ("А" <= letter <= "я" or letter in "Ёё"):
        return 0.1 if letter == "№" else 0.0
    if _plain_letters(before + after):
        return 0.0  # no word has letters of both scripts
    if before.islower() and letter.isupper():
        return 0.2
    return 1.1 if (before + after).strip(" ._-()0123456789") else 0.7
