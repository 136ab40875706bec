"""What the pictures tell of each other: duplicates, doubtful labels, neighbours, a map."""
