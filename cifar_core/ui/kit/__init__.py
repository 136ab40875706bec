"""Parts that several pages are made of; it knows no page."""
