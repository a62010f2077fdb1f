"""When to call what: allowances, rounds, the fleet as last seen, and one thread an account."""
