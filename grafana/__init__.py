"""What Grafana is given: dashboards, and how it finds them."""
