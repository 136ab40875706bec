"""G: how fast the machine multiplies matrices, in float32 and bfloat16: the ceiling for all."""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.contenders import Figures, Measure, Order, clock, compete

SIDE = 4096


def prepare() -> tuple[Measure, Figures]:
    """Makes the matrices and multiplies them once."""
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator,unused-ignore]
    def multiply(left: Any, right: Any) -> Any:
        return tf.matmul(left, right)[0, 0]

    def finish(matrix: Any) -> None:
        multiply(matrix, matrix).numpy()  # waits for the result

    drawn = tf.random.stateless_normal((SIDE, SIDE), seed=(1, 2))
    matrices = {kind: tf.cast(drawn, kind) for kind in ("float32", "bfloat16")}
    for matrix in matrices.values():
        finish(matrix)

    def measure(order: Order) -> Figures:
        best = {}
        for kind, matrix in matrices.items():
            once = functools.partial(finish, matrix)
            best[kind] = min(clock(once, order["seconds"] / 2))
        return {f"{kind}_flops": 2 * SIDE**3 / seconds for kind, seconds in best.items()}

    return measure, {"side": SIDE}


if __name__ == "__main__":
    compete(prepare)
