"""The session of an API account: a login with user name and password, then a token in each call."""

from collections.abc import Mapping
from math import inf

from exporter.northbound.errors import CallError, login_error, named_error
from exporter.northbound.interfaces import LOGIN
from exporter.northbound.session import Session
from exporter.northbound.transport import Response, Transport


class Client(Session):
    """One account's session; its token is the XSRF token of the server.

    Args:
        base_url: Scheme, host, perhaps a port and a path prefix.
        username: Of the northbound account.
        password: Its `systemCode`.
        timeout: Seconds for a whole exchange, from the connection to the last byte.
        ca_file: Certificates to trust instead of the usual ones.
        verify: Whether the server's certificate is checked at all.
    """

    def __init__(  # noqa: PLR0913  # because an account has that many settings
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        timeout: float,
        ca_file: str | None = None,
        verify: bool = True,
    ) -> None:
        super().__init__(base_url, username, Transport(timeout, ca_file=ca_file, verify=verify))
        self._password = password

    def login(self) -> float:
        """Opens a session (reference 2.1); the one before it, of whatever program, ends.

        How long it lasts is not told, since each call extends it.
        """
        self.drop_token()
        try:
            self._call(LOGIN.path, {"userName": self._username, "systemCode": self._password})
        except CallError as raised:
            error = login_error(raised)
        else:
            if self.token is not None:
                return inf
            error = named_error("no_token", enveloped=True)
        self.drop_token()  # a refusal may come with a token
        raise error

    def _headers(self) -> Mapping[str, str]:
        if self.token is None:
            return {}
        return {"XSRF-TOKEN": self.token, "Cookie": f"XSRF-TOKEN={self.token}"}

    def _answered(self, response: Response) -> None:
        self.token = _token(response) or self.token  # a refusal may bring the next one, too

    def _credentials(self) -> str:
        return self._password

    def _used_credentials(self) -> str:
        return self._password


def _token(response: Response) -> str | None:
    """The last token in a header or, cut as RFC 6265 says (5.2), in a cookie."""
    headers = response.headers
    cookies = (cookie.partition(";")[0].partition("=") for cookie in headers.getlist("set-cookie"))
    tokens = [
        *(
            value.strip().strip('"')
            for name, _, value in cookies
            if name.strip().upper() == "XSRF-TOKEN"
        ),
        *(header.strip() for header in headers.getlist("xsrf-token")),
    ]
    return next((token for token in reversed(tokens) if token), None)
