"""Training: from a recipe to a trained network. Only this package and networks use Keras."""
