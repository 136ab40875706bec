"""What every page wears: the little CSS that the theme in config.toml cannot say, and the logo.

The rules take their colours from the text around them (``currentColor``), so one block serves
light and dark.
"""

from __future__ import annotations

import streamlit as st
from PIL import Image, ImageColor

from cifar_core.charts.theme import CLASS_COLOURS, palette

RIGHT_SIGN = "✓"
WRONG_SIGN = "✗"

CSS = """
<style>
.lab-question { max-width: 70ch; font-size: 1.125rem; opacity: .8; margin: -.5rem 0 .5rem; }
p, [data-testid="stText"] span { text-wrap: pretty; }
.lab-origin { max-width: 90ch; font-size: .8125rem; opacity: .72; margin: 0;
  overflow-wrap: anywhere; }
.lab-box { max-width: 70ch; padding: 1rem 1.25rem; border-radius: 6px; overflow-wrap: anywhere;
  border: 1px solid color-mix(in srgb, currentColor 22%, transparent);
  background: color-mix(in srgb, currentColor 4%, transparent); }
.lab-box p { margin: 0 0 .5rem; }
.lab-box p:last-child { margin-bottom: 0; }
.lab-box .lab-what { font-weight: 600; }
.lab-problem { border-left: 4px solid light-dark(#b3382c, #f08a7e); }
.lab-empty { border-style: dashed; background: none; }
[data-testid="stHeading"] h2 { padding: .75rem 0 1rem; }
[data-testid="stMarkdownContainer"] > p, [data-testid="stMarkdownContainer"] > ul,
[data-testid="stMarkdownContainer"] > ol, [data-testid="stText"] { max-width: 70ch; }
[data-testid="stCaptionContainer"] > p { max-width: 80ch; }
/* A line above a bar goes as far as the bar. */
[data-testid="stProgress"] [data-testid="stMarkdownContainer"] > p { max-width: none; }
/* The sign of a link begins where the text above and below it does. */
[data-testid="stPageLink-NavLink"] { translate: -.5rem; }
/* As high as the fields beside them, and a chosen thing not in the colour of a warning. */
.stApp button[data-variant="segmented_control"] { min-height: 2.5rem; }
.stApp [data-testid="stMultiSelectTagsContainer"] [data-tag] { color: inherit;
  background: color-mix(in srgb, currentColor 13%, transparent); }
.stApp [data-testid="stMultiSelectTagsContainer"] [data-tag] button { color: inherit; }
/* A question mark belongs to its word, not to the far end of the field. */
label[data-testid="stWidgetLabel"] > div:has(> .stTooltipIcon) { flex: none; margin-left: .35rem; }
/* Streamlit's faint grey is a little too faint to read. */
.stApp [data-testid="stCaptionContainer"], .stApp [data-testid="stCaptionContainer"] p {
  opacity: 1; color: light-dark(#5b6475, #9aa4b5); }
.stApp [data-testid="stMultiSelect"] input { min-width: 24px; }
/* Streamlit shows the focus of its fields and buttons, but not of its links. */
.stApp a:focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
/* Plotly writes dark grey on the lighter cells of a matrix, too faint on the middle blues. */
.js-plotly-plot .heatmap-label text[style*="rgb(68, 68, 68)"] { fill: #0b0d12 !important; }
/* On a narrow screen tabs can be pushed sideways; words broken in two cannot be read. */
.stApp [data-testid="stTab"] { flex: none; white-space: nowrap; }
@media (max-width: 640px) {
  /* Streamlit leaves out the border beside the chosen one, which may be in another line. */
  .stApp button[data-variant="segmented_control"]:not([data-selected]) {
    border-color: light-dark(#dfe3ea, #2e3543) !important; }
  .stApp button[data-variant="segmented_control"][data-selected] { z-index: 1; }
  [data-testid="stHorizontalBlock"] { row-gap: 1rem; }
  .js-plotly-plot .modebar-container { top: 24px !important; } /* below the chart's title */
}
/* Chosen things show it by their ground and weight; accent on accent is too faint to read. */
.stApp button[data-variant="segmented_control"][data-selected],
.stApp button[data-variant="pills"][data-selected],
.stApp [data-testid="stSliderThumbValue"] {
  color: inherit; font-weight: 600; white-space: nowrap; width: max-content;
}
.stApp [data-testid="stTab"][aria-selected="true"] p { color: light-dark(#8f1550, #f59cc2); }
/* Streamlit's colours of code are too faint on a light ground. */
.stApp [data-testid="stCode"] .token.string { color: light-dark(#087a2b, #3ecf7a); }
.stApp [data-testid="stCode"] .token.keyword, .stApp [data-testid="stCode"] .token.function {
  color: light-dark(#1262b3, #6cb2f5); }
.stApp [data-testid="stCode"] .token.operator { color: light-dark(#a84a05, #f08b45); }
.stApp [data-testid="stCode"] .token.number { color: light-dark(#0f766e, #4fd1c0); }
.stApp [data-testid="stCode"] .token.punctuation, .stApp [data-testid="stCode"] .token.comment {
  color: light-dark(#5b6475, #9aa4b5); }
/* Pages tick while a run goes on; a sign of work that comes and goes each second tells nothing. */
[data-testid="stStatusWidget"] { display: none; }
[data-testid="stMainBlockContainer"] { padding-bottom: 4rem; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
</style>
"""

# A very small picture, in the classes' own colours: sky, an aeroplane's wing, fur.
_PIXELS = ("0880", "8918", "2552", "2442")


def is_dark() -> bool:
    """Returns whether the viewer sees the dark theme; light where that is not known."""
    return st.context.theme.type == "dark"


def favicon() -> Image.Image:
    """Returns the lab's mark for the browser's tab, without words.

    A picture, because Streamlit fetches ``:material/…:`` page icons from the network.
    """
    picture = Image.new("RGB", (4, 4))
    colours = [ImageColor.getrgb(CLASS_COLOURS[int(label)]) for label in "".join(_PIXELS)]
    picture.putdata(colours)
    return picture.resize((64, 64), Image.Resampling.NEAREST)


def logo_svg() -> str:
    """Returns the lab's mark: a picture of very few pixels."""
    squares = "".join(
        f'<rect x="{8 * x}" y="{8 * y}" width="7" height="7" rx="1" '
        f'fill="{CLASS_COLOURS[int(label)]}"/>'
        for y, line in enumerate(_PIXELS)
        for x, label in enumerate(line)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 31" width="180" height="31">'
        f'{squares}<text x="42" y="22" font-family="Source Serif Pro, Georgia, serif" '
        f'font-size="19" font-weight="600" textLength="134" lengthAdjust="spacingAndGlyphs" '
        f'fill="{palette(is_dark()).ink}">CIFAR-10 Lab</text>'
        "</svg>"
    )


def dress() -> None:
    """Puts the shared rules and the logo on the page; app.py calls it once per run."""
    st.html(CSS)
    st.logo(logo_svg(), size="large")
