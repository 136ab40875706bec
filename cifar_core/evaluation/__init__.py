"""Figures of predictions: metrics, intervals, calibration and comparison."""
