from __future__ import annotations

import threading
from contextlib import AbstractContextManager

import pytest

from cifar_core.inference.room import Room
from cifar_core.inference.upload import read_picture
from tests.inference import hostile
from tests.waiting import PATIENCE_SECONDS


def test_what_fits_together_is_decoded_together() -> None:
    room = Room(100)
    with room.take(40), room.take(60):
        pass


@pytest.mark.parametrize("wanted", [1, 100, 10_000, None])
def test_who_finds_no_room_waits_until_there_is_some(wanted: int | None) -> None:
    room, inside = Room(100), threading.Event()

    def come() -> None:
        with room.take(wanted):
            inside.set()

    with room.take(100):
        other = threading.Thread(target=come)
        other.start()
        assert not inside.wait(0.05)
    assert inside.wait(PATIENCE_SECONDS)
    other.join()


def test_room_is_given_back_after_a_failure() -> None:
    room = Room(100)
    with pytest.raises(ValueError, match="broken"), room.take(100):
        raise ValueError("broken")
    with room.take(100):
        pass


def test_never_more_is_inside_than_there_is_room_for() -> None:
    room, lock = Room(100), threading.Lock()
    inside, most = 0, 0

    def come(pixels: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with room.take(pixels):
                with lock:
                    inside += pixels
                    most = max(most, inside)
                with lock:
                    inside -= pixels

    several = [threading.Thread(target=come, args=(pixels,)) for pixels in (30, 30, 70, 100, 45)]
    for one in several:
        one.start()
    for one in several:
        one.join(PATIENCE_SECONDS)
    assert inside == 0
    assert most <= 100


def test_a_picture_takes_the_room_of_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    taken: list[int | None] = []
    take = room.take

    def watched(pixels: int | None) -> AbstractContextManager[None]:
        taken.append(pixels)
        return take(pixels)

    monkeypatch.setattr(room, "take", watched)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WebP"):
        read_picture(hostile.good_files()[kind], kind, room)
    assert taken == [24 * 16] * 5
    read_picture(hostile.good_files()["AVIF"], "AVIF", room)
    assert taken[-1] is None
