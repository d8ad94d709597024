"""Change the live policy and its lists: draft, backtest, promotion by a second person, history."""
