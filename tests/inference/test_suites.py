from __future__ import annotations

import time

import pytest

from cifar_core.errors import PictureError
from cifar_core.inference.upload import PREVIEW_SIDE, read_picture
from tests.inference import suites


@pytest.mark.timeout(1_200)  # pip may have to fetch 47 MB, once
def test_others_test_pictures_give_a_picture_or_a_sentence() -> None:
    try:
        files = suites.pictures()
    except suites.SuitesMissingError as error:
        pytest.skip(f"The pictures of Pillow's and pypng's own tests are not here: {error}")
    assert len(files) >= 1_000
    seconds, read = [], 0
    refused: list[PictureError] = []
    for name, data in files.items():
        began = time.process_time()
        try:
            picture = read_picture(data, name)
        except PictureError as error:
            refused.append(error)
        else:
            read += 1
            assert 1 <= max(picture.pixels.shape) <= PREVIEW_SIDE
        seconds.append(time.process_time() - began)
    assert read >= 500
    assert all(error.what and error.expected and error.remedy for error in refused)
    assert sorted(seconds)[int(0.99 * len(seconds))] < 1
