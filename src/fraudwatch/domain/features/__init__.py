"""Features: what a customer's past says about this purchase, folded the same way everywhere."""
