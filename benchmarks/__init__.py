"""How fast the lab is, measured in turns against the tutorial, PyTorch and the machine itself.

``make bench`` runs it; docs/performance.md shows what came out and how it was measured.
"""
