"""The simulated management system alone."""

import argparse

from exporter.commands.options import add_address, bind, positive_seconds, seconds
from exporter.commands.simulated import add_fleet, system_of
from exporter.northbound.interfaces import EDITIONS, HOUR, MINUTE
from exporter.simulator.endpoints import profile
from exporter.simulator.http.server import Server
from exporter.web import server


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_address(parser, "127.0.0.1:10053")
    add_fleet(parser)
    parser.add_argument("--user", default="demo", help="(default: %(default)s)")
    parser.add_argument("--password", default="demo", help="(default: %(default)s)")
    parser.add_argument(
        "--client-id", default="demo-client", help="of an OAuth client (default: %(default)s)"
    )
    parser.add_argument("--client-secret", default="demo-secret", help="(default: %(default)s)")
    parser.add_argument(
        "--token-seconds",
        type=positive_seconds,
        default=HOUR,
        metavar="SECONDS",
        help="how long an OAuth client's access token lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--edition",
        choices=list(profile.EDITIONS),
        default="2020",
        help="which interface it speaks (default: %(default)s)",
    )
    parser.add_argument(
        "--limits",
        choices=list(EDITIONS),
        help="which limits hold (default: those that accounts of the edition have)",
    )
    parser.add_argument(
        "--minute",
        type=positive_seconds,
        default=MINUTE,
        metavar="SECONDS",
        help="how long a minute of the limits lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long each answer takes (default: %(default)s)",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="open /simulator/faults, /fleet, /alarms and /calls to everybody",
    )


def run(flags: argparse.Namespace) -> int:
    """Run the simulated management system alone, for people who build dashboards."""
    system = system_of(
        flags,
        users={flags.user: flags.password},
        clients={flags.client_id: flags.client_secret},
        token_seconds=flags.token_seconds,
        edition=flags.edition,
        limits=flags.limits,
        minute=flags.minute,
    )
    simulator = Server(system, bind(flags), latency=flags.latency, control=flags.control)
    print(f"Management system at {simulator.url}, user {flags.user}. Ctrl-C ends it.", flush=True)
    server.ignore_end_signals()
    simulator.run()
    return 0
