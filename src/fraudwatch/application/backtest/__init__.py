"""Backtest: run a candidate policy over past purchases and compare it with the live policy."""
