"""The vendor's northbound interface: requests, session, answers; nothing of Prometheus."""
