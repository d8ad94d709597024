"""Messages to staff about alerts, and the policy of when each is sent; pure functions of time."""
