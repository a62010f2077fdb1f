"""`check` where something is wrong: what it names, what it says to do, and what goes on."""

import socket
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from commands.world import PASSWORD, run_check, trial, world

from exporter.simulator.http.server import Server
from exporter.simulator.http.sessions import User

pytestmark = pytest.mark.slow


def test_wrong_credentials_end_it_with_what_to_do(home, capsys):
    home.configure(account={"password": "wrong"})

    status, account, following = run_check(home, capsys)

    assert status == 1
    assert [each["interface"] for each in account["interfaces"]] == ["login"]
    assert trial(account, "login")["reason"] == "20400"
    assert following == "first fix the login of home as said above, then check again"


def test_a_server_that_cannot_be_reached(home, capsys):
    home.configure(account={"base_url": "http://127.0.0.1:9"})

    status, account, _ = run_check(home, capsys)

    assert status == 1
    assert trial(account, "login")["outcome"] == "unreachable"
    assert trial(account, "login")["remedy"].startswith("check base_url")


def test_a_certificate_that_nobody_trusts(home, capsys):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Server(home.system, tls=context) as server:
        home.configure(account={"base_url": server.url})
        status, account, _ = run_check(home, capsys)

    assert status == 1
    assert trial(account, "login")["reason"] == "tls"
    assert "tls.ca_file" in trial(account, "login")["remedy"]


def test_a_redirect_is_told_with_the_host_that_it_points_to(home, capsys):
    portal = "https://uni001eu5.fusionsolar.huawei.com/unisso/login.action?ticket=secret"
    home.system.faults.add("redirect", interface="login", value=portal)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["words"] == (
        "the server pointed elsewhere, which is never followed; check base_url "
        "(to https://uni001eu5.fusionsolar.huawei.com) [redirect]"
    )


def test_https_to_a_port_without_tls_is_not_about_certificates(home, capsys):
    home.configure(account={"base_url": home.url.replace("http://", "https://")})

    _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["reason"] == "no_tls"
    assert "ca_file" not in trial(account, "login")["words"] + trial(account, "login")["remedy"]


def test_an_expired_certificate_is_told_as_such(home, tmp_path, capsys):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expired = datetime(2020, 1, 1, tzinfo=UTC)
    authority.issue_cert("127.0.0.1", not_after=expired).configure_cert(context)
    with Server(home.system, tls=context) as server:
        tls = {"ca_file": str(tmp_path / "ca.pem")}
        home.configure(account={"base_url": server.url, "tls": tls})
        _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["words"].endswith("(certificate has expired) [tls]")


def test_a_certificate_of_another_host_is_told_as_such(home, tmp_path, capsys):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with Server(home.system, tls=context) as server:
        tls = {"ca_file": str(tmp_path / "ca.pem")}
        home.configure(account={"base_url": server.url, "tls": tls})
        _, account, _ = run_check(home, capsys)

    assert "IP address mismatch" in trial(account, "login")["words"]


def test_why_a_server_cannot_be_reached_is_told(home, capsys, monkeypatch):
    home.configure(account={"base_url": "http://127.0.0.1:9"})
    _, account, _ = run_check(home, capsys)
    assert "(Connection refused)" in trial(account, "login")["words"]

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    home.configure(account={"base_url": "http://eu5.fusionsolar.example"})
    home.clock.pass_by(3_600)
    _, account, _ = run_check(home, capsys)
    assert "(Name or service not known)" in trial(account, "login")["words"]


def test_a_host_without_the_interface(home, capsys):
    home.configure(account={"base_url": home.url + "/portal"})

    _, account, _ = run_check(home, capsys)

    assert trial(account, "login")["reason"] == "http_404"
    assert "this host has no northbound interface" in trial(account, "login")["remedy"]


def test_a_missing_permission_is_named_and_the_others_go_on(tmp_path, capsys):
    user = User(PASSWORD, refused=frozenset({"getDevRealKpi", "getKpiStationDay"}))
    with world(tmp_path, users={"api": user}) as home:
        status, account, following = run_check(home, capsys)

    assert status == 1
    assert trial(account, "getKpiStationDay")["outcome"] == "refused"
    assert trial(account, "getKpiStationDay")["remedy"] == (
        "or go without it: interfaces: {getKpiStationDay: {enabled: false}}"
    )
    assert trial(account, "getDevRealKpi")["remedy"] == (
        "or go without it: "
        "interfaces: {getDevRealKpi: {enabled: false}, getDevFiveMinutes: {enabled: true}}"
    )
    assert trial(account, "getAlarmList")["outcome"] == "permitted"
    assert following.startswith("fix what is said above about home, or go without it")


def test_a_refused_interface_that_needs_another_permission_says_so(tmp_path, capsys):
    user = User(PASSWORD, refused=frozenset({"devUpgrade"}))
    with world(tmp_path, users={"api": user}) as home:
        home.configure(interfaces={"getDevUpgradeInfo": {"enabled": True}})
        _, account, _ = run_check(home, capsys)

    assert trial(account, "getDevUpgradeInfo")["reason"] == "401"
    assert trial(account, "getDevUpgradeInfo")["remedy"] == (
        "it needs the permission of devUpgrade as well; "
        "or go without it: interfaces: {getDevUpgradeInfo: {enabled: false}}"
    )


def test_a_type_that_an_interface_does_not_serve_needs_nothing(home, capsys):
    home.system.faults.add("fail_code", interface="getDevRealKpi", value=20013)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "getDevRealKpi")["remedy"] == (
        "nothing to do; or leave the type out with device_types"
    )


def test_an_interface_that_the_server_does_not_have_says_nothing_about_the_host(home, capsys):
    home.system.faults.add("http_status", interface="getKpiStationDay", value=404)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "getKpiStationDay")["outcome"] == "unreachable"
    assert trial(account, "getKpiStationDay")["remedy"] == (
        "this server does not have it; "
        "go without it: interfaces: {getKpiStationDay: {enabled: false}}"
    )


def test_kpis_that_are_not_configured(home, capsys):
    home.system.faults.add("fail_code", interface="getStationRealKpi", value=20009)

    status, account, _ = run_check(home, capsys)

    assert status == 1
    assert "first do so in the management system" in trial(account, "getStationRealKpi")["words"]
    assert "northbound account is managed" in trial(account, "getStationRealKpi")["remedy"]


def test_an_answer_without_any_value_is_permitted_but_suspicious(home, capsys):
    home.system.faults.add("left_out", interface="getStationRealKpi")

    status, account, _ = run_check(home, capsys)

    assert status == 0
    assert trial(account, "getStationRealKpi")["words"] == "values of 0 of 1"
    assert "KPIs are not configured" in trial(account, "getStationRealKpi")["remedy"]


@pytest.mark.parametrize(
    ("fault", "value", "told"),
    [
        ("http_status", 404, "there is no paged list either [http_404]"),
        ("fail_code", 401, "the paged list is refused as well [401]"),
        ("http_status", 502, "asked page by page: the server did not answer the call [http_502]"),
    ],
)
def test_an_account_without_any_plant_list_is_told_which_permission_to_ask_for(
    tmp_path, capsys, fault, value, told
):
    user = User(PASSWORD, refused=frozenset({"getStationList"}))
    with world(tmp_path, users={"api": user}) as home:
        home.system.faults.add(fault, interface="stations", value=value)
        status, account, following = run_check(home, capsys)
        assert (home.calls("getDevList"), home.calls("getStationRealKpi")) == (0, 0)

    assert status == 1
    plants = trial(account, "getStationList")
    assert (plants["outcome"], plants["reason"]) == ("refused", "401")
    assert plants["words"].startswith("this account may not use the interface")
    assert plants["words"].endswith(f"[401]; {told}")
    assert plants["remedy"] == (
        "ask for the permission of getStationList, where the northbound account is managed: "
        "without plants there is nothing to export"
    )
    assert trial(account, "getDevList")["outcome"] == "not tried"
    assert account["limits"]["known"] is None
    assert following == (
        "without plants there is nothing to export: first fix the plant list of home as said "
        "above, then check again"
    )


def test_a_refused_list_whose_pages_may_not_be_asked_for_yet_was_tried(tmp_path, capsys):
    user = User(PASSWORD, refused=frozenset({"getStationList"}))
    with world(tmp_path, users={"api": user}) as home:
        home.configure(interfaces={"getStationList": {"allowance": {"calls": 1, "per": "1h"}}})
        _, account, _ = run_check(home, capsys)

    assert trial(account, "getStationList")["outcome"] == "refused"
    _, later = trial(account, "getStationList")["words"].split("[401]; ")
    assert later.startswith("asked page by page: the next call of getStationList is allowed in ")


def test_a_list_that_is_there_in_neither_form_is_told_as_such(home, capsys):
    for interface in ("getStationList", "stations"):
        home.system.faults.add("http_status", interface=interface, value=404)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "getStationList")["reason"] == "http_404"
    assert trial(account, "getStationList")["words"].endswith(
        "[http_404]; there is no paged list either [http_404]"
    )
    assert "no northbound interface" not in trial(account, "getStationList")["remedy"]


def test_an_account_without_plants_is_told_to_link_them_and_nothing_is_said_to_be_tried(
    tmp_path, capsys
):
    with world(tmp_path, users={"api": User(PASSWORD, plants=frozenset())}) as home:
        status, account, following = run_check(home, capsys)
        arrived = home.system.calls.accounts()

    assert status == 1
    plants = trial(account, "getStationList")
    assert (plants["outcome"], plants["words"]) == (
        "empty", "no plant is linked to the account"
    )  # fmt: skip
    assert plants["remedy"] == (
        "link plants to the northbound account in the management system, "
        "or give it the permission for their KPIs there"
    )
    tried = {each["interface"] for each in account["interfaces"] if each["outcome"] != "not tried"}
    assert tried == {"login", "getStationList"} == {interface for _, interface in arrived}
    assert {
        each["words"] for each in account["interfaces"] if each["outcome"] == "not tried"
    } == {"no plants are known to ask about"}  # fmt: skip
    assert following.startswith("without plants there is nothing to export")


def test_a_filter_that_leaves_no_plant_is_told(home, capsys):
    home.configure(account={"plants": {"include": ["Nowhere"]}})

    status, account, _ = run_check(home, capsys)

    assert status == 1
    assert trial(account, "getStationList")["outcome"] == "empty"
    assert trial(account, "getStationList")["words"] == "1 listed, and none of them is wanted"
    assert trial(account, "getStationList")["remedy"] == (
        "look at what `plants` of the account includes and excludes"
    )


def test_a_list_that_has_become_empty_is_told_though_the_plants_are_remembered(home, capsys):
    home.run("check")
    home.clock.pass_by(3_600)
    home.system.faults.add("data_as", interface="getStationList", value=[])
    capsys.readouterr()

    status, account, following = run_check(home, capsys)

    assert status == 1
    assert trial(account, "getStationList")["outcome"] == "empty"
    assert trial(account, "getDevList")["outcome"] == "permitted"
    assert following.startswith("fix what is said above about home")


def test_an_interface_about_devices_that_are_not_there_is_not_tried(home, capsys):
    home.configure(
        account={"device_types": ["battery"]}, interfaces={"getDevUpgradeInfo": {"enabled": True}}
    )

    status, account, _ = run_check(home, capsys)

    assert status == 0
    assert trial(account, "getDevUpgradeInfo")["outcome"] == "not tried"
    assert trial(account, "getDevUpgradeInfo")["words"] == "no devices of its types are known"
    assert home.calls("getDevUpgradeInfo") == 0


def test_a_list_of_what_is_no_plant_is_not_taken_for_an_empty_one(home, capsys):
    home.system.faults.add("data_as", interface="getStationList", value=[{"stationName": "Haus"}])

    status, account, _ = run_check(home, capsys)

    assert status == 1
    assert trial(account, "getStationList")["words"] == "1 listed, and none of them is understood"
    assert trial(account, "getStationList")["remedy"].startswith("please report it")


def test_a_list_that_does_not_give_all_that_it_counts_says_how_many_are_missing(home, capsys):
    page = {"list": [{"stationCode": "A", "stationName": "A"}], "total": 3}
    home.system.faults.add("data_as", interface="getStationList", value=page)

    _, account, _ = run_check(home, capsys)

    assert trial(account, "getStationList")["words"] == (
        "1 listed, and 2 more that the list counts are missing"
    )


def test_a_list_that_needs_a_page_size_is_read_in_pages(home, capsys):
    home.system.faults.add("http_status", interface="getStationList", value=400, count=1)

    status, account, _ = run_check(home, capsys)

    assert status == 0
    assert trial(account, "getStationList")["words"] == "1 listed"
    assert account["limits"]["known"] is None


def test_a_page_behind_the_last_that_is_refused_ends_the_list(home, capsys):
    page = {"list": [{"stationCode": code} for code in home.system.fleet.plants]}
    home.system.faults.add("data_as", interface="getStationList", value=page, count=2)
    home.system.faults.add("fail_code", interface="getStationList", value=30005, every=3)

    status, account, _ = run_check(home, capsys)

    assert status == 0
    assert trial(account, "getStationList")["words"] == "1 listed"
    assert home.calls("getStationList") == 3
