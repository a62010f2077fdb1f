"""Who is let in, and for how long."""


def test_without_a_session_every_call_must_log_in_again(new_client):
    answer = new_client().ask("getStationList")
    assert (answer["failCode"], answer["message"]) == (305, "USER_MUST_RELOGIN")


def test_a_login_ends_the_session_before_it(client):
    first = client.headers
    client.login()
    assert client.code("getStationList") == 0
    client.headers = first
    assert client.code("getStationList") == 305


def test_a_session_expires(client_of):
    brief = client_of(session_seconds=1800.0, pause=0.0)
    brief.clock.now += 1799.0
    assert brief.code("getStationList") == 0
    brief.clock.now += 1.0
    assert brief.code("getDevList", stationCodes=brief.plants()) == 305


def test_a_cookie_must_agree_if_it_is_sent(client):
    token = client.headers["XSRF-TOKEN"]
    client.headers = {"xsrf-token": token, "Cookie": f"lang=en; XSRF-TOKEN={token}"}
    assert client.code("getStationList") == 0
    client.headers = {"xsrf-token": token, "Cookie": "XSRF-TOKEN=another"}
    assert client.code("getStationList") == 305


def test_a_cookie_alone_is_no_session(client):
    client.headers = {"Cookie": f"XSRF-TOKEN={client.headers['XSRF-TOKEN']}"}
    assert client.code("getStationList") == 305


def test_wrong_credentials_are_refused_with_a_code(new_client):
    assert new_client().login(password="wrong")["failCode"] == 20400
    assert new_client().login(user="nobody")["failCode"] == 20400


def test_some_servers_refuse_credentials_with_an_empty_body(new_client):
    assert new_client(silent_login=True).login(password="wrong") is None


def test_five_wrong_passwords_lock_for_thirty_minutes(new_client):
    guesser = new_client(pause=60.0)
    assert [guesser.login(password="wrong")["failCode"] for _ in range(5)] == [20400] * 5
    locked_at = guesser.clock.now - 60.0
    assert guesser.login()["failCode"] == 20403
    guesser.clock.now = locked_at + 1799.0
    assert guesser.login()["failCode"] == 20403
    guesser.clock.now = locked_at + 1800.0 + 60.0
    assert guesser.login()["failCode"] == 0


def test_wrong_passwords_far_apart_do_not_lock(new_client):
    forgetful = new_client(pause=150.0)
    assert [forgetful.login(password="wrong")["failCode"] for _ in range(9)] == [20400] * 9
    assert forgetful.login()["failCode"] == 0


def test_accounts_do_not_disturb_each_other(new_client):
    shared = new_client(users={"a": "1", "b": "2"})
    shared.login("a", "1")
    first = shared.headers
    shared.login("b", "2")
    shared.headers = first
    assert shared.code("getStationList") == 0


def test_a_right_password_forgives_the_wrong_ones(new_client):
    clumsy = new_client(pause=60.0)
    for password in ["wrong"] * 4 + ["demo"] + ["wrong"] * 4:
        clumsy.login(password=password)
    assert clumsy.login()["failCode"] == 0
