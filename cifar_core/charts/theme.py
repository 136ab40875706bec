"""One hand for every chart: colours, orders, fonts, grid, titles.

Colours carry meaning and keep it on every page: a network owns one, a class owns one, what the
tutorial published is grey and dashed. Light and dark are two designs, not one turned over.
Figures are made for ``st.plotly_chart(figure, theme=None)``: Streamlit's own chart theme would
repaint them.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from cifar_core.dataset import CIFAR10, DatasetSpec

FONT: Final = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'
)
CLEAR: Final = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Palette:
    """The colours of one mode.

    Attributes:
        background: What lies behind a figure, and zero on a sequential scale.
        ink: Text that is read first.
        muted: Axes, subtitles, everything second.
        grid: Lines that help the eye and no more.
        raised: Behind a hover label.
        networks: Colour of each network.
        published: The tutorial's figures.
        sequential: Equal steps to the eye from the background to the strongest.
        diverging: Equal steps from negative over the background to positive.
        right: Sign colour of right answers, never without a sign.
        wrong: The same for wrong ones.
    """

    background: str
    ink: str
    muted: str
    grid: str
    raised: str
    networks: Mapping[str, str]
    published: str
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]
    right: str
    wrong: str


LIGHT: Final = Palette(
    background="#ffffff",
    ink="#1b2130",
    muted="#5b6475",
    grid="#e6e9ef",
    raised="#ffffff",
    networks={"cnn4": "#0f8a5f", "cnn6": "#7c3aed", "cnn7": "#c2570c"},
    published="#7a8190",
    sequential=(
        *("#ffffff", "#d3e6f9", "#aaccf2", "#85b0e7", "#6593d8"),
        *("#4b75c3", "#3758a9", "#283c8c", "#1a2070"),
    ),
    diverging=(
        *("#8c3700", "#b35710", "#d58038", "#ebac71", "#f7d8b6", "#ffffff"),
        *("#bee3ff", "#82c2fb", "#569ce9", "#3f75c7", "#2e4fa2"),
    ),
    right="#2563a8",
    wrong="#b4430f",
)
DARK: Final = Palette(
    background="#0e1117",
    ink="#eef1f6",
    muted="#9aa4b5",
    grid="#272d39",
    raised="#1c212c",
    networks={"cnn4": "#3ecf95", "cnn6": "#b59bff", "cnn7": "#ff9c4a"},
    published="#9199a8",
    sequential=(
        *("#0e1117", "#1d263d", "#273e6b", "#305a97", "#3f7abc"),
        *("#559bdc", "#6dbefd", "#a3d9ff", "#ddf2ff"),
    ),
    diverging=(
        *("#f5b75b", "#cc892f", "#a25f00", "#733d00", "#42230c", "#0e1117"),
        *("#1f2d4c", "#2b4f87", "#3f77ba", "#5fa3e5", "#8ecbff"),
    ),
    right="#79b8ff",
    wrong="#ff9d66",
)


@dataclass(frozen=True)
class Title:
    """What a chart shows and where its numbers come from.

    Attributes:
        text: What is shown, a few words.
        run: Name of the run or model.
        epoch: Epoch of the figures, when they belong to one.
        split: ``train``, ``validation`` or ``test``.
    """

    text: str
    run: str = ""
    epoch: int | None = None
    split: str = ""

    def origin(self) -> str:
        """Returns run, epoch and split as far as they are given, as one line."""
        epoch = "" if self.epoch is None else f"epoch {self.epoch}"
        split = f"{self.split} pictures" if self.split else ""
        return " · ".join(part for part in (self.run, epoch, split) if part)


def palette(dark: bool) -> Palette:
    """Returns the colours of the dark or the light mode."""
    return DARK if dark else LIGHT


def network_colour(network: str, *, dark: bool = False) -> str:
    """Returns the colour of a network; one the lab does not know is drawn in ink.

    Args:
        network: a key of ``NETWORKS``, or ``tutorial`` for published figures.
        dark: Which mode.
    """
    colours = palette(dark)
    return (
        colours.published if network == "tutorial" else colours.networks.get(network, colours.ink)
    )


def scale(colours: tuple[str, ...]) -> list[list[float | str]]:
    """Returns colours as a Plotly colour scale with even steps."""
    return [[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)]


def in_order(order: str, dataset: DatasetSpec = CIFAR10) -> list[int]:
    """Returns the labels in one of a dataset's orders of classes.

    Raises:
        KeyError: There is no such order.
    """
    return list(dataset.class_orders[order])


def names(labels: list[int], dataset: DatasetSpec = CIFAR10) -> list[str]:
    """Returns the names of classes."""
    return [dataset.class_names[label] for label in labels]


def plain(text: str) -> str:
    """Returns a person's text safe for Plotly, which reads a little HTML."""
    return html.escape(text, quote=False)


def short(name: str, most: int = 22) -> str:
    """Returns a name that leaves a chart its room: what is beyond the most becomes ``…``."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def figure(*traces: Any) -> go.Figure:
    """Returns a figure without Plotly's default template, 6 kB that :func:`style` replaces."""
    return go.Figure(data=list(traces), layout={"template": {}})


def style(
    figure: go.Figure, *, title: Title | str, dark: bool = False, height: int = 420
) -> go.Figure:
    """Gives a figure the lab's look, in place, and returns it.

    The one place that sets fonts, grid, margins, hover labels and backgrounds. Axes keep what
    a chart has set for them (titles, ranges, formats).

    Args:
        figure: The figure to dress.
        title: Shown above, with its origin in a second line.
        dark: Which mode.
        height: Pixels; charts in one row share it.
    """
    colours = palette(dark)
    heading = title if isinstance(title, Title) else Title(title)
    main = textwrap.wrap(heading.text, 58)
    origin = textwrap.wrap(heading.origin(), 54)  # what a phone holds
    small = f'<span style="font-size:13px;color:{colours.muted}">'
    below = [f"{small}{plain(line)}</span>" for line in origin]
    look = {
        "template": {},
        "height": height,
        "font": {"family": FONT, "size": 13, "color": colours.ink},
        "title": {
            "text": "<br>".join([*(f"<b>{plain(line)}</b>" for line in main), *below]),
            "font": {"size": 15, "color": colours.ink},
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"l": 4, "t": 14 if below else 6},  # a second line lifts the first
        },
        "margin": {"l": 8, "r": 12, "t": 24 + 20 * len(main) + 20 * len(origin), "b": 8},
        "paper_bgcolor": colours.background,  # the page's own: what is saved keeps its ground
        "plot_bgcolor": CLEAR,
        "hoverlabel": {
            "bgcolor": colours.raised,
            "bordercolor": colours.grid,
            "font": {"family": FONT, "size": 13, "color": colours.ink},
            "align": "left",
        },
        "modebar": {"bgcolor": CLEAR, "color": colours.muted, "activecolor": colours.ink},
        "legend": {"bgcolor": CLEAR, "font": {"color": colours.ink}},
    }
    axis = {
        "gridcolor": colours.grid,
        "gridwidth": 1,
        "ticks": "",
        "zeroline": False,
        "linecolor": colours.grid,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.muted, "size": 12}, "standoff": 10},
        "automargin": True,
    }
    # As plain values and at once: Plotly's update_… takes seven times as long, for every chart.
    layout = figure.layout.to_plotly_json()
    axes = {"xaxis", "yaxis", *(name for name in layout if name[:5] in ("xaxis", "yaxis"))}
    figure.layout = _merged(layout, look | dict.fromkeys(axes, axis))
    return figure


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested settings with others laid over them."""
    merged = dict(below)
    for name, value in above.items():
        lower = merged.get(name)
        if isinstance(lower, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(lower, value)
        else:
            merged[name] = value
    return merged


def config(name: str, *, vector: bool = False) -> dict[str, Any]:
    """Returns the Plotly settings of a chart: few buttons, and a picture of it to download.

    Plotly's button that uploads a chart to its makers is taken away, and so is the address.

    Args:
        name: Name of the downloaded file, without its ending.
        vector: SVG instead of PNG.
    """
    return {
        "displaylogo": False,
        "responsive": True,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "modeBarButtonsToRemove": [
            *("select2d", "lasso2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"),
        ],
        "toImageButtonOptions": {
            "format": "svg" if vector else "png",
            "filename": name,
            "scale": 1 if vector else 2,
        },
    }


def colour_bar(title: str, *, dark: bool, suffix: str = "") -> dict[str, object]:
    """Returns the settings of a colour bar that lies beneath its chart."""
    colours = palette(dark)
    return {
        # Beneath, not beside: on a phone the width belongs to the cells.
        "orientation": "h",
        "x": 0.5,
        "xanchor": "center",
        "y": 0,
        "yref": "container",
        "yanchor": "bottom",
        "title": {"text": title, "side": "bottom", "font": {"size": 12, "color": colours.muted}},
        "tickfont": {"size": 11, "color": colours.muted},
        "ticksuffix": suffix,
        "thickness": 8,
        "len": 0.8,
        "outlinewidth": 0,
        "nticks": 5,
        "ypad": 4,
    }
