"""Where samples of the past go: files for promtool, remote write, VictoriaMetrics."""
