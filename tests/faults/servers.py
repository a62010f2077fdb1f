"""The servers of the table's accounts, and the faults injected into them."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import trustme
from daemon import PASSWORD
from faults.table import ELSEWHERE

from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import Fleet, SimDevice, SimPlant

_YESTERDAY = datetime.now(UTC) - timedelta(days=1)
_HOSTS = {"expired": "127.0.0.1", "other_host": "plant.test", "unknown_authority": "127.0.0.1"}


def _fleet(inverters):
    devices = (
        SimDevice(number, f"Inverter {number}", 1, "NE=1", size=10.0, strings=2)
        for number in range(1, inverters + 1)
    )
    return Fleet([SimPlant("NE=1", "Plant", 10.0, 49.0, 11.0, devices=tuple(devices))])


class AccountServer:
    """A management system with its server, for all rows of one host."""

    def __init__(self, rows, authority, elsewhere):
        self.rows = rows
        self.kind = rows[0].server
        self.system = System(
            _fleet(rows[0].inverters),
            clock=time.time,
            limits="classic",
            minute=min(rows[0].minute, rows[0].login),
            users={row.name: PASSWORD for row in rows},
            silent_login=self.kind == "silent",
            alarm_history=False,
        )
        self._authority = authority
        self._elsewhere = elsewhere
        self._tls = None
        if self.kind in _HOSTS:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            unknown = self.kind == "unknown_authority"
            issuer = trustme.CA() if unknown else authority
            end = _YESTERDAY if self.kind == "expired" else None
            issuer.issue_cert(_HOSTS[self.kind], not_after=end).configure_cert(self._tls)
        self._server = Server(self.system, tls=self._tls).start()
        self.url = "http://plant.invalid" if self.kind == "nowhere" else self._server.url

    def begin_fault(self):
        """Injects the faults."""
        if self.kind == "closed":
            self._server.stop()
        for row in self.rows:
            for fault in row.faults:
                redirected = {"value": self._elsewhere} if fault.get("value") == ELSEWHERE else {}
                self.system.faults.add(**fault | redirected, account=row.name)
            if row.session_ends:
                self.system.sessions.end(row.name)

    def continue_fault(self):
        """Repeats what a fault has to repeat: another login that ends the session."""
        if self.kind == "stealing":
            self.system.sessions.open(self.rows[0].name, time.time())

    def end_fault(self):
        """Ends the faults."""
        self.system.faults.clear()
        if self.kind == "closed":
            listening = socket.create_server(("127.0.0.1", self._server.port))
            self._server = Server(self.system, [listening]).start()
        if self._tls is not None:
            self._authority.issue_cert("127.0.0.1").configure_cert(self._tls)

    def stop(self):
        self._server.stop()
