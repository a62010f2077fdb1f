"""The dashboards as code, one module each; `python -m grafana.source` writes their JSON."""
