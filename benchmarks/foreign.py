"""Pictures that show none of the ten classes, drawn by a seeded generator: what to refuse.

Four families: noise, textures, text and drawings. They are drawn at 128 × 128 pixels and reduced
as an uploaded picture would be. The same seed gives the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cifar_core.inference.upload import to_network_input

SIDE = 128
Draw = Callable[[np.random.Generator], Image.Image]


def draw(family: str, count: int, seed: int) -> NDArray[np.uint8]:
    """Returns pictures of a family of :data:`FAMILIES`, (count, 32, 32, 3) uint8."""
    generator = np.random.Generator(np.random.PCG64([seed, *family.encode()]))
    made = [np.asarray(FAMILIES[family](generator).convert("RGB")) for _ in range(count)]
    return np.stack([to_network_input(pixels) for pixels in made])


def noise(generator: np.random.Generator) -> Image.Image:
    """Returns random pixels: uniform, normal, or black and white; of a random grain."""
    grain = int(generator.choice([4, 8, 16, 32, 64, 128]))
    shape = (grain, grain, 3 if generator.random() < 0.7 else 1)
    kind = generator.integers(3)
    values: NDArray[Any]
    if kind == 0:
        values = generator.uniform(0, 255, shape)
    elif kind == 1:
        values = generator.normal(generator.uniform(60, 200), generator.uniform(20, 80), shape)
    else:
        values = 255.0 * (generator.random(shape) < generator.uniform(0.1, 0.9))
    pixels = np.broadcast_to(np.clip(values, 0, 255), (grain, grain, 3)).astype(np.uint8)
    filters = (Image.Resampling.NEAREST, Image.Resampling.BICUBIC)
    return Image.fromarray(pixels).resize((SIDE, SIDE), filters[generator.integers(2)])


def textures(generator: np.random.Generator) -> Image.Image:
    """Returns stripes, checks, dots, weave, clouds or cells in two colours."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    angle, waves = generator.uniform(0, np.pi), generator.uniform(2, 20)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kind = generator.integers(6)
    if kind == 0:
        height = np.sin(2 * np.pi * waves * along)
    elif kind == 1:
        height = np.sign(np.sin(2 * np.pi * waves * along) * np.sin(2 * np.pi * waves * across))
    elif kind == 2:
        height = np.cos(2 * np.pi * waves * along) + np.cos(2 * np.pi * waves * across) - 1
    elif kind == 3:
        bend = generator.uniform(0.5, 3) * np.sin(2 * np.pi * generator.uniform(0.5, 3) * across)
        height = np.sin(2 * np.pi * waves * along + bend)
    elif kind == 4:
        height = _clouds(generator)
    else:
        points = generator.random((int(generator.integers(8, 60)), 2))
        height = np.min([np.hypot(x - px, y - py) for px, py in points], axis=0)
    low, high = float(height.min()), float(height.max())
    share = ((height - low) / max(high - low, 1e-9))[..., None]
    one, other = generator.uniform(0, 255, (2, 3))
    rough = generator.normal(0, generator.uniform(0, 12), share.shape)
    pixels = np.clip(one + (other - one) * share + rough, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def text(generator: np.random.Generator) -> Image.Image:
    """Returns lines of random letters on a plain ground, as of a page or a sign."""
    paper, ink = _two_colours(generator)
    image = Image.new("RGB", (SIDE, SIDE), paper)
    pen = ImageDraw.Draw(image)
    size = float(generator.choice([10, 14, 20, 32, 56]))
    font = ImageFont.load_default(size)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789     .,!?")
    top = float(generator.uniform(0, 10))
    while top < SIDE:
        line = "".join(generator.choice(letters, int(generator.integers(3, 24))))
        pen.text((float(generator.uniform(0, 12)), top), line, fill=ink, font=font)
        top += size * 1.25
    return image.rotate(float(generator.normal(0, 4)), fillcolor=paper)


def drawings(generator: np.random.Generator) -> Image.Image:
    """Returns a few lines and filled shapes on a plain ground, as of a diagram or a sketch."""
    paper, ink = _two_colours(generator)
    image = Image.new("RGB", (SIDE, SIDE), paper)
    pen = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(2, 9))):
        points = [tuple(point) for point in generator.uniform(0, SIDE, (4, 2)).tolist()]
        (left, top), (right, bottom) = np.sort(np.array(points[:2]), axis=0).tolist()
        width = int(generator.integers(1, 8))
        colour = tuple(generator.integers(0, 256, 3).tolist())
        fill = colour if generator.random() < 0.5 else None
        kind = generator.integers(4)
        if kind == 0:
            pen.line(points, fill=ink, width=width)
        elif kind == 1:
            pen.ellipse((left, top, right, bottom), fill=fill, outline=ink, width=width)
        elif kind == 2:
            pen.rectangle((left, top, right, bottom), fill=fill, outline=ink, width=width)
        else:
            pen.polygon(points[:3], fill=fill, outline=ink)
    return image.filter(ImageFilter.SMOOTH)


FAMILIES: Mapping[str, Draw] = {
    "noise": noise,
    "textures": textures,
    "text": text,
    "drawings": drawings,
}


def _clouds(generator: np.random.Generator) -> NDArray[np.float64]:
    """Returns fractal noise (SIDE, SIDE): octaves of random grids, each finer and fainter."""
    height = np.zeros((SIDE, SIDE))
    for octave in range(1, 6):
        grid = generator.normal(0, 1, (2**octave + 1, 2**octave + 1)).astype(np.float32)
        smooth = Image.fromarray(grid).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        height += np.asarray(smooth, dtype=np.float64) / 1.7**octave
    return height


def _two_colours(
    generator: np.random.Generator,
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Returns a ground and an ink that stand out from each other; often black on white."""
    if generator.random() < 0.4:
        return (255, 255, 255), (0, 0, 0)
    while True:
        ground, ink = generator.integers(0, 256, (2, 3))
        if abs(int(ground.sum()) - int(ink.sum())) > 200:
            first, second = ground.tolist(), ink.tolist()
            return (first[0], first[1], first[2]), (second[0], second[1], second[2])
