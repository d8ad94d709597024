"""Steps of ``train_model``: data set, folds, promotion gate, run record, report."""
