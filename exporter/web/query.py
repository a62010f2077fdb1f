"""Which plants the status page is asked to list: what stands behind `?` in its address. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

LONGEST = 200  # characters of a value
_LONGEST_QUERY = 5_000  # bytes: two such values as browsers write them, and a page
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Query:
    """The plants of `account` whose name or code holds `search`; of these one page, from 1 on.

    An empty text asks for all.
    """

    search: str = ""
    account: str = ""
    page: int = 1

    def at(self, page: int) -> str:
        """The address of another page of the same list, relative to any."""
        values = {"search": self.search, "account": self.account, "page": page}
        given = {key: value for key, value in values.items() if value not in ("", 1)}
        return f"?{urlencode(given)}#plants"


def asked_for(text: bytes) -> Query:
    """The query of an address; parameters of others are left alone.

    Raises:
        ValueError: Says in a sentence what is wrong with it.
    """
    if len(text) > _LONGEST_QUERY:
        raise ValueError(f"The query is longer than {_LONGEST_QUERY:,} bytes.")
    values = {key: each[-1] for key, each in parse_qs(text.decode("latin-1")).items()}
    for key in ("search", "account", "page"):
        if len(values.get(key, "")) > LONGEST:
            raise ValueError(f"{key} is longer than {LONGEST} characters.")
    page = values.get("page", "1")
    if not _NUMBER.fullmatch(page):
        raise ValueError("page is no number of up to six digits.")
    return Query(values.get("search", "").strip(), values.get("account", ""), int(page))
