"""The steps of ``train_model``: what there is to learn from, the folds, the gate, the record."""
