"""A simulated management system for the demo and the tests.

`world` is the fleet, its weather and its values; `endpoints` is what each interface answers from
it; `http` is how calls get there and answers back. Each imports only those before it.
"""
