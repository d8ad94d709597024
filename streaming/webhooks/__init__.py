"""Run the webhooks: signed events about alerts and decisions to the programs of clients."""
