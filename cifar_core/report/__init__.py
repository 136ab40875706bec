"""A report on finished runs: one HTML file that opens anywhere, without a network.

It reads runs and draws their charts, so it stands above both; services hand it out. The same
file is a document to read and print, and a presentation to step through.
"""
