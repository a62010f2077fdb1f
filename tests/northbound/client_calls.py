"""What a client is asked in the tests of it, and how its failures are looked at."""

import pytest

from exporter.northbound.errors import CallError

HOST = "https://fusionsolar.test"
LOGIN = f"{HOST}/thirdData/login"
PATH = "/thirdData/getStationList"
TOKEN = "x-a1b2c3=="


def failure(do, *args) -> CallError:
    with pytest.raises(CallError) as caught:
        do(*args)
    return caught.value


def call_failing_with(server, client, **answer) -> CallError:
    server.post(HOST + PATH, **answer)
    return failure(client.call, PATH, {})


def summary(error: CallError) -> tuple:
    return error.reason, error.reaction, error.enveloped
