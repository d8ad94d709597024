"""Backtest a candidate policy on past days."""
