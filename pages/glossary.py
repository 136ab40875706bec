"""Glossary: the terms of the field that the pages use, each in a sentence."""

from __future__ import annotations

from cifar_core.ui.kit.page import guard, page_header
from cifar_core.ui.overview.glossary_list import glossary_list

page_header("Glossary", "What do the terms mean?")

with guard():
    glossary_list()
