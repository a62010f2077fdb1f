"""What answers HTTP: the status page, /metrics, health and readiness."""
