"""Prints the alerts that Alertmanager sends to a port of this machine, one line each."""  # noqa: INP001  # because it is a script

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

EXPORTER = "http://localhost:10052/"  # which serves the runbooks


class Webhook(BaseHTTPRequestHandler):
    """Takes Alertmanager's notifications."""

    def do_POST(self) -> None:
        """Prints each alert: firing or resolved, its name, and what it says."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for alert in json.loads(body)["alerts"]:
            name, told = alert["labels"]["alertname"], alert["annotations"]
            runbook = EXPORTER + told["runbook_url"]
            print(f"{alert['status']}: {name}: {told['description']} {runbook}", flush=True)  # noqa: T201  # because it is for that
        self.send_response(204)
        self.end_headers()

    def log_request(self, *_: object) -> None:
        """Says nothing of the request itself."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Webhook).serve_forever()
