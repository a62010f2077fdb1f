"""The simulated fleet: a pure function of seed and time, and what is changed by hand."""
