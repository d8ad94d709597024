"""A candidate policy over purchases that were judged long ago, beside the policy that was live."""
