"""Processes of the lab: how one is started, locked, followed, stopped and ended."""
