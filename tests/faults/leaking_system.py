"""A management system that leaks secrets and contacts into every answer."""

import json
from dataclasses import replace

from exporter.simulator.http.system import System

CONTACTS = {
    "stationLinkman": "contact-person-7f3a",
    "linkmanPho": "+49-555-0100-77",
    "stationAddr": "9c1e Address Street",
    "contactPerson": "contact-person-7f3b",
    "contactMethod": "mail-5d2b@plant.test",
    "plantAddress": "9c1f Address Street",
    "telephone": 495550100781,
}
_TEXTS = {key: value for key, value in CONTACTS.items() if isinstance(value, str)}


class LeakingSystem(System):
    """Puts contacts into every item, and all secrets into every message and page of an error.

    `secrets` are what it was ever told or has ever given out; `sent` is all that it has sent.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        known = {**self.users, **self.oauth.clients}
        self.secrets = set(known) | {user.password for user in known.values()}
        self.tokens = set()
        self.sent = bytearray()
        self._open = self.sessions.open
        self.sessions.open = self._remember

    def _remember(self, *arguments):
        token = self._open(*arguments)
        self.tokens.add(token)
        return token

    def handle(self, method, path, headers, body=b""):
        """The answer of the system, with more in it than there should be."""
        answer = super().handle(method, path, headers, body)
        answer = replace(answer, body=self._add_secrets(answer.body))
        self.sent += answer.body
        return answer

    def _add_secrets(self, body):
        words = " ".join(
            [*self.secrets, *self.tokens, *self.oauth.tokens, *map(str, CONTACTS.values())]
        )
        try:
            envelope = json.loads(body)
        except (ValueError, RecursionError):
            return body + words.encode()
        if "data" not in envelope:  # of a token endpoint
            return json.dumps({**envelope, "error_description": words}).encode()
        data = envelope["data"]
        items = data if isinstance(data, list) else data["list"] if isinstance(data, dict) else []
        for item in filter(lambda item: isinstance(item, dict), items):
            item.update(CONTACTS)
            if isinstance(item.get("dataItemMap"), dict):
                item["dataItemMap"].update(_TEXTS)  # a number may be a KPI that is new
        envelope["message"] = words
        envelope["params"] = {"echo": words}
        return json.dumps(envelope).encode()
