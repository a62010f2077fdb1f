"""Runs the command."""


def history(home, *flags, status=0):
    assert home.run("history", *flags) == status
    assert home.refused() == 0


def files(home):
    return ("--openmetrics", home.directory / "om")
