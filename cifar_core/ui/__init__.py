"""Streamlit components that several pages share."""
