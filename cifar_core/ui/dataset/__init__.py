"""The Dataset page and the page of one image."""
