"""Plotly figures from plain data; no Streamlit, no files."""
