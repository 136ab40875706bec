"""From bytes to an answer: upload and classification with LiteRT, without Keras."""
