"""Checkpoints prove themselves: whole, or noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cifar_core import files
from cifar_core.training import checkpoint
from cifar_core.training.checkpoint import Checkpoint, Progress


def made(epoch: int) -> Checkpoint:
    draw = np.random.default_rng(epoch)
    return Checkpoint(
        Progress(epoch=epoch, best_accuracy=0.1 + epoch),
        {"weights": draw.normal(size=(4, 3)).astype(np.float32), "count": np.array(epoch)},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint"
    checkpoint.save(path, made(1))
    checkpoint.save(path, made(2))
    return path


def epoch_in(path: Path) -> int:
    found = checkpoint.load(path)
    assert found is not None
    return found.progress.epoch


def test_a_checkpoint_comes_back_bit_for_bit(path: Path) -> None:
    found = checkpoint.load(path)
    assert found is not None
    assert found.progress == made(2).progress
    for name, array in made(2).arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)


def test_a_changed_byte_anywhere_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    for position in range(len(data)):
        for mask in (0x01, 0x29, 0x80, 0xFF):  # 0x29 makes a tab of a space
            wrong = bytearray(data)
            wrong[position] ^= mask
            with pytest.raises(checkpoint.DamagedCheckpointError):
                checkpoint.decode(bytes(wrong))


def test_a_checkpoint_cut_anywhere_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(data)):
        with pytest.raises(checkpoint.DamagedCheckpointError):
            checkpoint.decode(data[:length])
    with pytest.raises(checkpoint.DamagedCheckpointError):
        checkpoint.decode(data + b"\0")


@pytest.mark.parametrize("damage", ["cut", "missing", "unreadable"])
def test_the_one_before_is_used_when_the_newest_is_not_whole(path: Path, damage: str) -> None:
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    if damage == "unreadable":
        path.symlink_to(path)
    assert epoch_in(path) == 1


def test_a_damaged_checkpoint_is_never_pushed_over_the_good_one(path: Path) -> None:
    path.write_bytes(b"damaged")
    assert epoch_in(path) == 1
    checkpoint.save(path, made(2))
    assert epoch_in(checkpoint.before(path)) == 1


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "checkpoint") is None


def test_checkpoints_that_are_all_damaged_are_not_taken_for_none(path: Path) -> None:
    for item in (path, checkpoint.before(path)):
        item.write_bytes(b"damaged")
    with pytest.raises(checkpoint.LostCheckpointError) as error:
        checkpoint.load(path)
    assert error.value.expected
    assert error.value.remedy


def test_a_checkpoint_of_another_format_is_refused(path: Path) -> None:
    data = path.read_bytes().replace(b'"format": 1', b'"format": 2', 1)
    with pytest.raises(checkpoint.DamagedCheckpointError):
        checkpoint.decode(data)


def test_a_checkpoint_runs_no_code_of_strangers(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    hostile = Checkpoint(Progress(), {"weights": np.array([Evil()], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoint.encode(hostile)
    assert not (tmp_path / "ran").exists()


def test_saving_leaves_two_files(path: Path) -> None:
    checkpoint.save(path, made(3))
    names = sorted(item.name for item in path.parent.iterdir())
    assert names == ["checkpoint", "checkpoint.before"]
    assert files.sha256_of(path) != files.sha256_of(checkpoint.before(path))
