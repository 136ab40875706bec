"""Runs on any page: labels, choices and their stored results."""
