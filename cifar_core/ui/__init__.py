"""The screen: a folder for each page over a kit; no page imports another."""
