"""The commands of ``python -m cifar_core``, by what they are about."""
