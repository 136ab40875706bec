"""``python -m benchmarks.pictures``: pictures that people bring, from their bytes to the answers.

Three parts, each with CNN-4 and CNN-6: a photograph of 12 megapixels; a zip of 1,000
pictures of CIFAR's size; and the same while a training runs. Wall time is what a person waits;
processor time beside it tells how much of that other work on the machine has taken.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import hashlib
import io
import statistics
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
from PIL import Image

from benchmarks.figures import percentile
from benchmarks.turns import Contender
from cifar_core import services
from cifar_core.inference.archive import Archive
from cifar_core.inference.aside import REST_BESIDE_TRAINING, aside
from cifar_core.inference.room import Room
from cifar_core.inference.upload import Picture
from cifar_core.services import Model

ASKED = ("cnn4", "cnn6")
PHOTO_SIZE = (4032, 3024)
MANY = 1_000


def main() -> None:
    """Measures what is asked for and prints a line for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--turns", type=int, default=40, help="photographs; a tenth of the zips")
    parser.add_argument("--training", action="store_true", help="also beside a training")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a turn of training")
    options = parser.parse_args()
    models = [services.open_model(services.find_model(name)) for name in ASKED]
    photo, packed = make_photo(), make_zip()
    print(f"photograph: {len(photo) / 1e6:.1f} MB, {PHOTO_SIZE[0]} × {PHOTO_SIZE[1]}, JPEG")
    _tell("photograph to answers", partial(answer_photo, photo, models), options.turns)
    _tell(f"zip of {MANY:,} to table", partial(answer_zip, packed, models), options.turns // 10)
    if options.training:
        beside_training(photo, packed, models, turns=options.turns // 8, seconds=options.seconds)


def make_photo() -> bytes:
    """Returns a JPEG of 12 megapixels: large tiles of CIFAR-10 with the noise of a camera."""
    tiles = np.asarray(services.open_dataset().test.images[:12])
    draw = np.random.default_rng(1)
    rows = [np.concatenate(list(tiles[row * 4 : row * 4 + 4]), axis=1) for row in range(3)]
    large = Image.fromarray(np.concatenate(rows)).resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
    noisy = np.asarray(large) + draw.normal(0, 6, (PHOTO_SIZE[1], PHOTO_SIZE[0], 3))
    buffer = io.BytesIO()
    photo = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    photo.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def make_zip() -> bytes:
    """Returns a zip of 1,000 test pictures, or of those of the sample, as PNG."""
    pictures = services.open_dataset().test.images[:MANY]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, picture in enumerate(pictures):
            file = io.BytesIO()
            Image.fromarray(np.asarray(picture)).save(file, "PNG")
            archive.writestr(f"{number}.png", file.getvalue())
    return buffer.getvalue()


def answer_photo(photo: bytes, models: Sequence[Model]) -> bytes:
    """Reads a photograph as the page does and returns a digest of what the models say."""
    picture = services.read_picture(photo, "photograph.jpg", Room())
    (predictions,) = services.predict([picture.pixels], models)
    return _digest(one.probabilities for one in predictions)


def answer_zip(packed: bytes, models: Sequence[Model], *, rest: float = 0.0) -> bytes:
    """Reads a zip as the page does and returns a digest of what the models say of each picture."""
    from cifar_core.ui.classify.batch import AT_ONCE, table_of, thumbnail  # Streamlit comes with it

    archive, room, glances = Archive(packed), Room(), []
    loads = [
        (name, partial(_load, archive, index, room)) for index, name in enumerate(archive.names)
    ]
    for start in range(0, len(loads), AT_ONCE):
        some = loads[start : start + AT_ONCE]
        glances += aside(partial(services.classify_batch, some, models, fit="squash"), rest=rest)
    table_of(glances, [model.run for model in models], {m.run.id: m.run.id for m in models})
    for glance in glances:
        thumbnail(glance)
    return _digest(answer.probabilities for glance in glances for answer in glance.predictions)


def beside_training(
    photo: bytes, packed: bytes, models: Sequence[Model], *, turns: int, seconds: float
) -> None:
    """Compares answers beside a training with those alone, and the training with and without."""
    alone = answer_photo(photo, models), answer_zip(packed, models)
    streams: dict[str, Callable[[], object]] = {
        "one photograph a second": partial(_every_second, partial(answer_photo, photo, models)),
        "zips without a pause": partial(answer_zip, packed, models, rest=REST_BESIDE_TRAINING),
    }
    with Contender("lab") as training:
        training.wait_until_ready()

        def rate() -> float:
            told = training.take_turn(network="cnn4", seconds=seconds)
            return float(told["images_per_second"])

        rate()
        for name, once in streams.items():
            ratios = []
            for _ in range(max(3, turns)):
                free = rate()
                with _stream(once):
                    ratios.append(rate() / free)
            print(
                f"training beside {name}: {100 * statistics.median(ratios):.0f}% of its rate alone "
                f"(median of {len(ratios)} pairs, {min(ratios):.2f} to {max(ratios):.2f})"
            )
        told: list[bytes] = []
        with _stream(rate):
            told = [answer_photo(photo, models), answer_zip(packed, models)]
    same = tuple(told) == alone
    print(f"answers beside a training: {'identical' if same else 'DIFFERENT'}, to the bit")


@contextmanager
def _stream(once: Callable[[], object]) -> Iterator[None]:
    """Does something again and again in a thread of its own meanwhile."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            once()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _every_second(once: Callable[[], object]) -> None:
    began = time.monotonic()
    once()
    time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))


def _load(archive: Archive, index: int, room: Room) -> Picture:
    return services.read_picture(archive.read(index), archive.names[index], room)


def _digest(answers: Iterator[np.ndarray]) -> bytes:
    found = hashlib.sha256()
    for probabilities in answers:
        found.update(probabilities.tobytes())
    return found.digest()


def _tell(what: str, once: Callable[[], object], turns: int) -> None:
    """Prints median and 95th percentile of wall and processor time; the first turn warms up."""
    once()
    wall, processor = [], []
    for _ in range(max(3, turns)):
        began, used = time.perf_counter(), time.process_time()
        once()
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    print(
        f"{what}: median {1000 * statistics.median(wall):,.0f} ms, "
        f"p95 {1000 * percentile(wall, 0.95):,.0f} ms (of processor time "
        f"{1000 * statistics.median(processor):,.0f} and "
        f"{1000 * percentile(processor, 0.95):,.0f} ms; {len(wall)} turns)",
        flush=True,
    )


if __name__ == "__main__":
    main()
