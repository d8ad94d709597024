"""Plan the training of models, compare and promote them; independent of any engine."""
