"""The live screen: a window of alerts for everybody, filtered and grouped for each."""
