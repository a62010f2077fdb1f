"""A stand-in management system for the demo and the tests: a pure core thinly served."""
