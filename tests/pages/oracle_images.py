"""Independent figures for the pages of images: from the stored files, with NumPy and SciPy.

Nothing here, nor in the tests that use it, asks the lab's evaluation, services or inference.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import softmax
from streamlit.testing.v1 import AppTest

from cifar_core import settings
from cifar_core.settings import PROJECT_DIR

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "test"]
Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]

MODELS = PROJECT_DIR / "models"
ARRAYS = settings.current().data_dir / "cifar10"
"""As the tests were started: a test may look at a page without the dataset."""

NETWORKS = {"cnn4": "CNN-4", "cnn6": "CNN-6", "cnn7": "CNN-7"}
CLASSES = [
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
]


# The files.


def images_of(split: Split) -> Pixels:
    """Returns all images of a split, (n, 32, 32, 3), as they lie on disk."""
    return _array(f"{split}_images")


def labels_of(split: Split) -> NDArray[np.int64]:
    """Returns all labels of a split, (n,)."""
    return _array(f"{split}_labels").astype(np.int64)


def sample_of(split: Split) -> NDArray[np.int64]:
    """Returns the official indices of the shipped sample, ascending."""
    sheet = PROJECT_DIR / "cifar_core" / "dataset" / "sample" / "sample.json"
    return np.array(json.loads(sheet.read_bytes())["indices"][split], np.int64)


def temperature_of(network: str) -> float:
    """Returns the temperature that a shipped model's evaluation.json records."""
    return float(json.loads((MODELS / network / "evaluation.json").read_bytes())["temperature"])


def tempered(shares: NDArray[Any], temperature: float) -> Numbers:
    """Returns softmax probabilities (n, 10) with a temperature applied to their logits."""
    floor = np.maximum(np.asarray(shares, np.float64), 2.0**-24)
    return np.asarray(softmax(np.log(floor) / temperature, axis=-1), np.float64)


def stored_predictions(network: str) -> Numbers:
    """Returns a shipped model's calibrated predictions of the test images, (10000, 10)."""
    stored = np.load(MODELS / network / "test_predictions.npy")
    return tempered(stored, temperature_of(network))


def validation_predictions(network: str) -> Numbers:
    """Returns its calibrated predictions of the held-out images after the last epoch."""
    count = json.loads((MODELS / network / "recipe.json").read_bytes())["validation_pictures"]
    stored = np.fromfile(MODELS / network / "predictions", np.float16).reshape(-1, count, 10)
    return tempered(stored[-1], temperature_of(network))


@functools.cache
def _array(name: str) -> Pixels:
    stored: Pixels = np.load(ARRAYS / f"{name}.npy", mmap_mode="r")
    return stored


# A served network, asked directly.


class Served:
    """A shipped model.tflite in an interpreter that keeps every tensor."""

    def __init__(self, network: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        path = MODELS / network / "model.tflite"
        self.temperature = temperature_of(network)
        with warnings.catch_warnings():
            # It costs memory, and is the purpose here.
            warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")
            self._interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
        self._interpreter.allocate_tensors()
        (self._source,) = self._interpreter.get_input_details()
        (self._target,) = self._interpreter.get_output_details()
        self.details = self._interpreter.get_tensor_details()

    def steps(self, pixels: Pixels) -> list[NDArray[np.float32]]:
        """Returns what each step makes of one image, in the file's order; the cast is none."""
        self._invoke(pixels[None])
        made = [
            item["index"]
            for item in self.details
            if item["dtype"] is np.float32 and list(item["shape_signature"][:1]) == [-1]
        ]
        return [self._interpreter.get_tensor(index)[0] for index in made[1:]]

    def weights(self, shape: Sequence[int]) -> NDArray[np.float64]:
        """Returns the one constant tensor of this shape; 8-bit ones multiplied by their scale."""
        (found,) = [item for item in self.details if list(item["shape"]) == list(shape)]
        values = self._interpreter.get_tensor(found["index"]).astype(np.float64)
        scales = found["quantization_parameters"]["scales"].astype(np.float64)
        per_output = scales.reshape(-1, *[1] * (values.ndim - 1)) if len(scales) else 1.0
        return np.asarray(values * per_output, np.float64)

    def shares(self, pixels: Pixels) -> Numbers:
        """Returns the softmax outputs of images (n, 32, 32, 3), without temperature."""
        made = []
        for one in pixels:
            self._invoke(one[None])
            made.append(self._interpreter.get_tensor(self._target["index"])[0])
        return np.asarray(made, np.float64)

    def calibrated(self, pixels: Pixels) -> Numbers:
        """Returns the probabilities (n, 10) with the model's own temperature applied."""
        return tempered(self.shares(pixels), self.temperature)

    def _invoke(self, batch: Pixels) -> None:
        self._interpreter.set_tensor(self._source["index"], np.ascontiguousarray(batch))
        self._interpreter.invoke()


@functools.cache
def served(network: str) -> Served:
    """Returns a shipped model's network, opened once for all tests."""
    return Served(network)


def fitted(pixels: Pixels, fit: Literal["squash", "crop"]) -> Pixels:
    """Returns a larger image at 32 × 32: all of it, or the square in its middle."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if fit == "crop":
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR))


# What a page shows.


@dataclass(frozen=True, eq=False)
class Cell:
    """One entry of a gallery.

    Attributes:
        images: Its images, as the browser decodes them.
        links: Split and index of the image page that each leads to.
        lines: Its texts below.
    """

    images: list[Pixels]
    links: list[tuple[str, int]]
    lines: list[str]


def galleries_of(app: AppTest, kind: str = "lab-gallery") -> list[list[Cell]]:
    """Returns the galleries of a page, in order; ``kind`` is the CSS class of their grid."""
    bodies = [str(element.proto.body) for element in app.get("html")]
    shown = [body for body in bodies if f'class="{kind}"' in body]
    return [[_cell(item) for item in body.split('role="listitem"')[1:]] for body in shown]


def images_in(body: str) -> list[Pixels]:
    """Returns the images of an HTML text that are part of it, decoded, as RGB or grey."""
    coded = re.findall(r'src="data:image/(?:png|webp|jpeg);base64,([^"]+)"', body)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in coded]


def bodies_with(app: AppTest, mark: str) -> list[str]:
    """Returns the HTML texts of a page that hold a mark, without their styles."""
    bodies = [str(element.proto.body) for element in app.get("html")]
    bodies = [re.sub(r"<style>.*?</style>", "", body, flags=re.DOTALL) for body in bodies]
    return [body for body in bodies if mark in body]


def body_with(app: AppTest, mark: str) -> str:
    """Returns the one HTML text of a page that holds a mark."""
    (found,) = bodies_with(app, mark)
    return found


def rows_in(body: str) -> list[list[str]]:
    """Returns the texts of each row's cells of the tables in an HTML text."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, flags=re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
    return [[" ".join(texts_in(cell)) for cell in row] for row in cells]


def texts_in(body: str) -> list[str]:
    """Returns the lines of text of an HTML text."""
    lines = re.sub(r"<[^>]*>", "\n", body).splitlines()
    return [html.unescape(line).strip() for line in lines if line.strip()]


def numbers_in(text: str) -> list[float]:
    """Returns the numbers of a text, thousands separators and real minus signs understood."""
    found = re.findall(r"[-−]?\d[\d,]*(?:\.\d+)?", text)
    return [float(one.replace("−", "-").replace(",", "")) for one in found]


def bars_of(figure: dict[str, Any]) -> dict[str, float]:
    """Returns a chart's horizontal bars: length by name, in the order drawn."""
    (bars,) = figure["data"]
    assert bars["orientation"] == "h"
    return {str(name): float(x) for name, x in zip(bars["y"], bars["x"], strict=True)}


def csv_of(content: bytes) -> pd.DataFrame:
    """Returns a saved table, read as a spreadsheet does, a byte order mark allowed."""
    import pandas as pd

    return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")


def _cell(item: str) -> Cell:
    end = re.search(r"</div></div>$", item)
    body = item[item.index(">") + 1 : end.start() if end else None]
    links = re.findall(r'href="picture\?split=(\w+)&amp;index=(\d+)[&"]', body)
    trimmed = body.rsplit("<", 1)[0] if body.count("<") > body.count(">") else body
    return Cell(images_in(body), [(split, int(index)) for split, index in links], texts_in(trimmed))
