"""What answers HTTP: the landing page, /metrics, health and readiness."""
