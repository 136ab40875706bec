"""Glossary: the terms of the field that the pages use, each in a sentence."""

from __future__ import annotations

from cifar_core.ui.glossary_list import glossary_list
from cifar_core.ui.page import guard, page_header

page_header("Glossary", "What do the terms mean?")

with guard():
    glossary_list()
