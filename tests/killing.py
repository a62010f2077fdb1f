"""A process that is killed at any moment, and the server it calls meanwhile."""

from account.world import Server


class Killed(BaseException):
    """The process was killed."""


class KillableServer(Server):
    """A server before and after whose calls `may_kill` may raise Killed; it is given the place."""

    def __post_init__(self):
        super().__post_init__()
        self.may_kill = lambda _where: None
        self.logging_in = False

    def login(self):
        self.logging_in = True
        self.may_kill("login")
        lifetime = super().login()
        self.may_kill("login")
        return lifetime

    def call(self, path, body):
        self.logging_in = False
        self.may_kill("call")
        data = super().call(path, body)
        self.may_kill("call")
        return data
