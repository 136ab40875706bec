"""The Overview and Glossary pages."""
