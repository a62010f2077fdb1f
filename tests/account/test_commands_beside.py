"""What commands leave for each other and for the daemon, and how they heed it."""

from account.commands import call, store_as_command
from account.state_files import values
from account.world import HOUR, View, account

from exporter.account.account_polling import AccountConfig
from exporter.account.database import Database
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import PollConfig
from exporter.account.model import AcceptedValue
from exporter.account.probe import Probe
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import EDITIONS, INTERFACES, Subject

PLANTS = INTERFACES["getStationList"]


def probe(server, database, *, guest, view=None):
    """A command's probe of an account."""
    limits = {
        name: PollConfig(each, EDITIONS[server.edition](each), each.every)
        for name, each in INTERFACES.items()
    }
    return Probe(
        AccountConfig("a", (), 30.0, AlarmFilter(), Fleet),
        limits,
        client=server,
        database=database,
        clock=server.clock,
        view=view or View(),
        guest=guest,
        report=lambda _: None,
    )


def page_of(clock):
    return AccountView(
        "a",
        page=Page({}, clock.now),
        telemetry=Telemetry(),
        translator=Translator({}),
        places={},
        now=clock.now,
        wall=clock.time,
    )


def test_a_command_beside_a_daemon_leaves_what_another_has_accepted():
    server, database = account(), Database()
    accepted = AcceptedValue(Subject.DEVICES, "7", "fusionsolar_inverter_energy_joules_total")
    store_as_command(database, accepted={"x": accepted})

    probe(server, database, guest=True, view=page_of(server.clock)).save()

    assert list(values(database, "accepted")) == ["x"]


def test_without_a_daemon_a_command_heeds_the_calls_of_those_before_it():
    server, database = account(hours=HOUR), Database()
    store_as_command(database, foreign_calls={"0": call(-10, -9, interface=PLANTS.name)})
    started = server.clock.now()

    probe(server, database, guest=False).call(PLANTS, {})

    (asked,) = server.paths(PLANTS.name)
    assert 50 < asked[0] - started < 52
    assert server.refused == []


def test_a_call_that_a_command_waits_for_again_and_again_counts_once():
    server, database = account(hours=HOUR, edition="v6"), Database()
    store_as_command(database, foreign_calls={"0": call(-10, -9, interface=PLANTS.name)})
    wait = server.clock.wait
    server.clock.wait = lambda seconds: wait(min(seconds, 7.0))  # it asks before it is time

    probe(server, database, guest=False).call(PLANTS, {})

    assert len(values(database, "interface")[PLANTS.name]["log"]["calls"]) == 2
    assert values(database, "foreign_call") == {}


def test_the_calls_of_an_interface_that_is_never_polled_are_forgotten_in_time():
    server, database = account(hours=HOUR), Database()
    daemon = probe(server, database, guest=False)
    daemon.call(PLANTS, {})
    for _ in range(5):
        server.clock.at += 72 * HOUR
        server.session_end = server.clock.now() + HOUR
        store_as_command(database, foreign_calls={"0": call(0, 1, interface=PLANTS.name)})
        daemon.call(INTERFACES["snIsRegister"], {}, path="/thirdData/getStationList")

    assert len(values(database, "interface")[PLANTS.name]["log"]["calls"]) <= 2
