"""Where what survives a restart is kept when the configuration does not say."""

from collections.abc import Mapping
from pathlib import Path

from exporter import NAME

# Names the directory for one program alone, as the container image does.
STATE_VARIABLE = "FUSIONSOLAR_STATE_DIRECTORY"


def default_state_directory(environ: Mapping[str, str]) -> Path | None:
    """The first directory that the environment offers: ours, systemd's, or the user's own.

    None where it offers none: without a home, or where what it says is no absolute path, which the
    XDG base directory specification asks to ignore.
    """
    if named := environ.get(STATE_VARIABLE):
        return Path(named)
    # systemd names all of a service's state directories, with colons between them.
    service = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    places = (
        Path(service),
        Path(environ.get("XDG_STATE_HOME", ""), NAME),
        Path(environ.get("HOME", ""), ".local", "state", NAME),
    )
    return next((place for place in places if place.is_absolute()), None)
