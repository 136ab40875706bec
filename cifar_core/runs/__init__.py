"""Runs: a folder and a process each."""
