"""The vendor's northbound interface: its words, its session, its answers; nothing of Prometheus."""
