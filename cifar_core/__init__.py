"""The core of CIFAR-10 Lab: data, networks, runs, figures and inference, without a screen."""

__version__ = "0.1.0"
