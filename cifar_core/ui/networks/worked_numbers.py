"""One number of a network worked out on the page, step by step, for a pupil to follow."""

from __future__ import annotations

import html

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10
from cifar_core.inference.arithmetic import (
    WorkedConvolution,
    WorkedPooling,
    WorkedSoftmax,
    gelu,
    share_below,
)
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN
from cifar_core.ui.networks.channel_grids import picture_html
from cifar_core.ui.networks.number_tables import (
    cells,
    grey_colours,
    light_colours,
    number,
    pixel_colours,
    signed_colours,
)

CHANNEL_NAMES = ("Red", "Green", "Blue")
PIXEL_RANGE = 255
CHANNELS_SHOWN = 3
"""Input channels worked out in full where a step reads more than the picture's three."""

SAME_WITHIN = 1e-4
"""Worked and computed numbers closer than this are called the same: both are rounded to float32
on their way, in another order."""


def convolution_html(worked: WorkedConvolution, *, reads_picture: bool, dark: bool) -> str:
    """Returns the HTML of a convolution: numbers, weights, products, their sums.

    Args:
        worked: The numbers.
        reads_picture: Whether the step reads the picture's pixels, 0 to 255. LiteRT keeps their
            division by 255 inside the kernel; here it is taken out again.
        dark: Which mode.
    """
    scale = PIXEL_RANGE if reads_picture else 1
    kernel, window = worked.kernel * scale, worked.window.values
    limit_weight = float(np.abs(kernel).max())
    limit_product = float(np.abs(worked.products).max())
    shown = _channels_shown(worked)
    lines = []
    if reads_picture:
        look = cells(
            np.full(window.shape[:2], np.nan),
            pixel_colours(window),
            caption="in colour",
            outside=~worked.window.inside,
        )
        lines.append(f'<div class="lab-line"><h3>The pixels</h3>{_no_numbers(look)}</div>')
    for channel in shown:
        values = window[..., channel]
        if reads_picture:
            title, digits = CHANNEL_NAMES[channel], 0
            colours, caption = light_colours(values, channel), "light, 0–255"
        else:
            title, digits = f"Channel {channel}", 2
            colours, caption = grey_colours(values, limit=float(window.max())), "read"
        read = cells(values, colours, caption=caption, digits=digits, outside=~worked.window.inside)
        weights = kernel[..., channel]
        weighed = cells(
            weights,
            signed_colours(weights, limit=limit_weight, dark=dark),
            caption="weights",
        )
        products = worked.products[..., channel]
        product = cells(
            products,
            signed_colours(products, limit=limit_product, dark=dark),
            caption="products",
        )
        divided = "÷ 255 ×" if reads_picture else "×"
        lines.append(
            f'<div class="lab-line"><h3>{title}</h3>{read}<span class="lab-sign">{divided}</span>'
            f'{weighed}<span class="lab-sign">=</span>{product}<span class="lab-sign">→ sum</span>'
            f'<span class="lab-sum">{number(float(worked.channel_sums[channel]), 3)}</span></div>'
        )
    return f'<div class="lab-work">{"".join(lines)}</div>'


def _channels_shown(worked: WorkedConvolution) -> list[int]:
    """Returns the channels worked out in full: all of few, else those that matter most."""
    sums = worked.channel_sums
    if len(sums) <= CHANNELS_SHOWN:
        return list(range(len(sums)))
    return [int(at) for at in np.argsort(-np.abs(sums), kind="stable")[:CHANNELS_SHOWN]]


def _no_numbers(table: str) -> str:
    return table.replace(">nan<", "><")


def sum_html(worked: WorkedConvolution, *, activation: str, reads_picture: bool) -> str:
    """Returns the HTML of the last steps: sum and bias, activation, the network's own number."""
    shown = _channels_shown(worked)
    parts = []
    for channel in shown:
        name = CHANNEL_NAMES[channel].lower() if reads_picture else f"channel {channel}"
        parts.append((float(worked.channel_sums[channel]), name))
    others = len(worked.channel_sums) - len(shown)
    if others:
        rest = float(worked.channel_sums.sum() - worked.channel_sums[shown].sum())
        parts.append((rest, f"{others} other channels"))
    parts.append((worked.bias, "bias"))
    total = " + ".join(f"<b>{number(value, 3)}</b> ({name})" for value, name in parts)
    lines = [f'<p class="lab-sumline">{total} = <b>{number(worked.total, 4)}</b></p>']
    if activation == "relu":
        kept = "is kept" if worked.total > 0 else "is negative and becomes 0"
        lines.append(
            f'<p class="lab-sumline">ReLU: {number(worked.total, 4)} {kept}: '
            f"<b>{number(worked.result, 4)}</b></p>"
        )
    elif activation:
        lines.append(
            f'<p class="lab-sumline">{html.escape(activation)}: '
            f"<b>{number(worked.result, 4)}</b></p>"
        )
    return f"{''.join(lines)}{verdict_html(worked.network, worked.difference)}"


def gelu_html(value: float, network: float) -> str:
    """Returns the HTML of a GELU: the share below a number, their product, the network's own.

    Args:
        value: What it reads.
        network: What the network itself made of it.
    """
    share, made = share_below(value), gelu(value)
    line = (
        f'<p class="lab-sumline"><b>{number(value, 4)}</b> × <b>{number(share, 4)}</b> (share '
        f"below) = <b>{number(made, 4)}</b></p>"
    )
    return f"{line}{verdict_html(network, abs(made - network))}"


def verdict_html(network: float, difference: float) -> str:
    """Returns the HTML that lays the worked number beside the network's own."""
    same = difference < SAME_WITHIN
    sign, kind = (RIGHT_SIGN, "") if same else (WRONG_SIGN, " lab-off")
    words = "the same" if same else "not the same"
    return (
        f'<p class="lab-verdict{kind}">{sign} The network itself computed '
        f"<strong>{number(network, 7)}</strong>: {words}. "
        f"Difference: {f'{difference:.8f}' if difference else '0'}.</p>"
    )


def pooling_html(worked: WorkedPooling, *, limit: float) -> str:
    """Returns the HTML of a pooling: the numbers of its square, and the largest.

    Args:
        worked: The numbers.
        limit: The channel's largest number: white.
    """
    values = worked.window.values[..., 0]
    masked = np.where(worked.window.inside, values, -np.inf)
    row, column = np.unravel_index(int(np.argmax(masked)), values.shape)
    table = cells(
        values,
        grey_colours(values, limit=limit),
        caption="read",
        digits=4,
        outside=~worked.window.inside,
        largest=(int(row), int(column)),
    ).replace('class="lab-cells"', 'class="lab-cells lab-wide"')
    return (
        f'<div class="lab-work"><div class="lab-line">{table}'
        f'<span class="lab-sign">largest →</span><span class="lab-sum">'
        f"{number(worked.result, 4)}</span></div></div>"
        f"{verdict_html(worked.network, abs(worked.result - worked.network))}"
    )


def softmax_html(worked: WorkedSoftmax) -> str:
    """Returns the HTML of the softmax: scores, powers, their sum, shares."""
    tempered = worked.temperature != 1
    heads = ["class", "score"]
    if tempered:
        heads.append(f"÷ {worked.temperature:.3f}")
    heads += ["e to that power", "share of the sum"]
    most = float(worked.shares.max())
    lines = []
    for label in range(len(worked.shares)):
        scores = f"<td>{number(float(worked.logits[label]), 3)}</td>"
        if tempered:
            scores += f"<td>{number(float(worked.scaled[label]), 3)}</td>"
        share = float(worked.shares[label])
        lines.append(
            f'<tr><th scope="row">{CIFAR10.class_names[label]}</th>{scores}'
            f"<td>{worked.powers[label]:,.3f}</td><td>{100 * share:.2f}%</td>"
            f'<td class="lab-track"><span style="width: {100 * share / most:.1f}%; '
            f'background: {CIFAR10.class_colours[label]}"></span></td></tr>'
        )
    empty = "<td></td>" * (2 if tempered else 1)
    lines.append(
        f'<tr class="lab-total"><th scope="row">sum</th>{empty}'
        f'<td>{worked.total:,.3f}</td><td>100.00%</td><td class="lab-track"></td></tr>'
    )
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heads)
    head += '<td class="lab-track"></td>'
    return (
        f'<table class="lab-softmax"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def softmax_words(worked: WorkedSoftmax) -> str:
    """Returns the arithmetic of the likeliest class in one line."""
    first = int(np.argmax(worked.shares))
    return (
        f"{CIFAR10.class_names[first]}: {worked.powers[first]:,.3f} ÷ {worked.total:,.3f} = "
        f"{worked.shares[first]:.2%}"
    )


def place_figure(picture: NDArray[np.uint8], box: tuple[int, int, int, int], caption: str) -> str:
    """Returns the HTML of a picture, enlarged by a whole factor, with a part of it framed.

    Args:
        picture: (height, width) greys or (height, width, 3) colours.
        box: (top, left, bottom, right), the last two not included.
        caption: The line below it.
    """
    words = html.escape(caption, quote=True)
    factor = max(1, 256 // max(picture.shape[:2]))
    top, left, bottom, right = (side * factor for side in box)
    return (
        f"<figure><div>{picture_html(picture, 256, caption)}"
        f'<span style="top: {top}px; left: {left}px; width: {right - left}px; '
        f'height: {bottom - top}px"></span></div><figcaption>{words}</figcaption></figure>'
    )
