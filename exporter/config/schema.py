"""The schema of the configuration file: one class a section, one field a key with its default."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from exporter.config.types import (
    AddedLabelName,
    AlarmType,
    CertificatesPath,
    DatabaseUrl,
    DatabaseUrlFile,
    DeviceType,
    DirectoryPath,
    Duration,
    Edition,
    EndpointUrl,
    FilePath,
    HeaderName,
    HeaderValue,
    HistorySource,
    InterfaceName,
    Items,
    LabelName,
    Latitude,
    Longitude,
    Moment,
    NonZero,
    Pair,
    Period,
    Secret,
    SecretFile,
    Severity,
    States,
    Table,
    Text,
    Token,
    TokenFile,
    UnknownKeys,
    Url,
)
from exporter.northbound.interfaces import INTERFACES, PLANT_LIST, Subject

_OAUTH_SERVER = "https://oauth2.fusionsolar.huawei.com/rest/dp/uidm/oauth2/v1"

# All that tell what devices report now: the same values.
_SAME_VALUES = tuple(
    row.name for row in INTERFACES.values() if row.realtime and row.subject is Subject.DEVICES
)


class SettingsModel(BaseModel):
    """A section: immutable, without unknown keys, without coercion, values not quoted in errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class NameFilter(SettingsModel):
    """Wildcards: keeps what an `include` matches and no `exclude`."""

    include: Items[Text] = ("*",)
    exclude: Items[Text] = ()


class ClientTls(SettingsModel):
    """How the server's certificate is checked."""

    ca_file: CertificatesPath | None = None
    verify: bool = True


class Allowance(SettingsModel):
    """At most `calls` calls in any `per` seconds."""

    calls: Annotated[int, Field(ge=1)]
    per: Period


class Override(SettingsModel):
    """Settings of one interface; None leaves a key to the next broader place."""

    enabled: bool | None = None
    every: Duration | None = None
    allowance: Allowance | None = None


Overrides = Table[InterfaceName, Override]


def _one_secret(**given: SecretStr | None) -> None:
    if sum(value is not None for value in given.values()) != 1:
        raise ValueError(f"needs one of {' and '.join(given)}")


def _in_the_clear(*given: SecretStr | None) -> str:
    return next((value.get_secret_value() for value in given if value is not None), "")


class OAuthSettings(SettingsModel):
    """How an OAuth client ("Connect") signs in, whom the owner of the plants has authorised."""

    type: Literal["oauth"]
    client_id: Text
    client_secret: Secret | None = None
    client_secret_file: SecretFile | None = None
    refresh_token_file: FilePath
    token_url: EndpointUrl = f"{_OAUTH_SERVER}/token"
    authorize_url: EndpointUrl = f"{_OAUTH_SERVER}/authorize"
    redirect_uri: EndpointUrl = "http://localhost:10054/callback"
    scope: Text = "pvms.openapi.basic"
    tls: ClientTls = ClientTls()

    @model_validator(mode="after")
    def _one_client_secret(self) -> Self:
        _one_secret(client_secret=self.client_secret, client_secret_file=self.client_secret_file)
        return self

    def secret(self) -> str:
        """The client secret in the clear, wherever it was given."""
        return _in_the_clear(self.client_secret, self.client_secret_file)


class AccountSettings(SettingsModel):
    """One account: a northbound account with its password, or `auth`."""

    name: Text = "default"
    labels: Table[LabelName, Text] = Field(default_factory=dict, validate_default=True)
    base_url: Url = "https://eu5.fusionsolar.huawei.com"
    auth: OAuthSettings | None = None
    username: str = Field(default="", validate_default=True)
    password: Secret | None = None
    password_file: SecretFile | None = None
    limits: Edition = "safe"
    plants: NameFilter = NameFilter()
    devices: NameFilter = NameFilter()
    device_types: Items[DeviceType] = ()
    timeout: Period = 30.0
    tls: ClientTls = ClientTls()
    interfaces: Overrides = Field(default_factory=dict, validate_default=True)

    @field_validator("username")
    @classmethod
    def _needed_without_auth(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("auth", info) is None:
            raise ValueError("is missing")
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if self.auth is None:
            _one_secret(password=self.password, password_file=self.password_file)
        elif self.username or self.password or self.password_file:
            raise ValueError("signs in by auth, or with username and password; keep one of both")
        return self

    @property
    def user(self) -> str:
        """Who signs in: the user name, or the id of an OAuth client."""
        return self.auth.client_id if self.auth else self.username

    def secret(self) -> str:
        """The password in the clear, wherever it was given."""
        return _in_the_clear(self.password, self.password_file)


class AlarmSettings(SettingsModel):
    """Which alarms are asked for, and how many a plant may show."""

    language: Text = "en_US"
    levels: Items[Severity] = ()
    types: Items[AlarmType] = ()
    max_active_per_plant: Annotated[int, Field(ge=0)] = 100


class Factor(SettingsModel):
    """Replaces the catalogue's factor from the source's unit to the base unit, for one KPI."""

    device_type: int
    key: Text
    factor: NonZero


class StateSettings(SettingsModel):
    """Where state is saved across restarts: in a directory, or in a PostgreSQL database.

    A `directory` that is left out has a default, unless there is a database.
    """

    directory: DirectoryPath | None = None
    database: DatabaseUrl | None = None
    database_file: DatabaseUrlFile | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = self.directory, self.database, self.database_file
        if sum(place is not None for place in given) > 1:
            raise ValueError("takes one of directory, database and database_file")
        return self

    def url(self) -> str:
        """The database's URL in the clear, with its password; empty where there is none."""
        return _in_the_clear(self.database, self.database_file)

    @property
    def has_place(self) -> bool:
        """Whether state is saved at all."""
        return self.directory is not None or bool(self.url())

    @property
    def declined(self) -> bool:
        """Whether the file says that nothing is to be saved; otherwise no directory was found."""
        return not self.has_place and "directory" in self.model_fields_set


class RemoteWriteSettings(SettingsModel):
    """Where history is written by Prometheus' remote write, and how to get in there."""

    url: EndpointUrl
    username: str = ""
    password: Secret | None = None
    password_file: SecretFile | None = None
    bearer_token: Token | None = None
    bearer_token_file: TokenFile | None = None
    headers: Table[HeaderName, HeaderValue] = Field(default_factory=dict, validate_default=True)
    timeout: Period = 60.0
    tls: ClientTls = ClientTls()

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        given = [self.password, self.password_file, self.bearer_token, self.bearer_token_file]
        if sum(value is not None for value in given) > 1:
            raise ValueError("has a password or a bearer_token, once")
        if (self.password or self.password_file) and not self.username:
            raise ValueError("has a password without a username")
        ways = [
            bool(self.username),
            bool(self.bearer_token or self.bearer_token_file),
            "authorization" in map(str.lower, self.headers),
        ]
        if sum(ways) > 1:
            raise ValueError(
                "signs in by username and password, by bearer_token or by a header Authorization; "
                "keep one"
            )
        return self

    def password_in_the_clear(self) -> str:
        """The password, empty where there is none."""
        return _in_the_clear(self.password, self.password_file)

    def token_in_the_clear(self) -> str:
        """The bearer token, empty where there is none."""
        return _in_the_clear(self.bearer_token, self.bearer_token_file)


class HistorySettings(SettingsModel):
    """The past, as the `history` command fetches it, or the daemon where it is `enabled`."""

    enabled: bool = False
    start: Moment | None = Field(default=None, alias="from")
    sources: Items[HistorySource] = ()
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    labels: Table[AddedLabelName, str] = Field(default_factory=dict, validate_default=True)
    directory: DirectoryPath | None = None
    remote_write: RemoteWriteSettings | None = None

    @model_validator(mode="after")
    def _requires_target(self) -> Self:
        if self.enabled and self.remote_write is None:
            raise ValueError("is enabled, and needs remote_write to say where to")
        return self


@dataclass(frozen=True, slots=True)
class InterfaceSettings:
    """One interface of one account, with all places merged; `every` is in seconds."""

    enabled: bool
    every: float
    allowance: Allowance | None


def _at_least_one(accounts: tuple[AccountSettings, ...]) -> tuple[AccountSettings, ...]:
    if not accounts:
        raise ValueError("needs at least one account")
    return accounts


class Settings(SettingsModel):
    """The whole file."""

    accounts: Annotated[Items[AccountSettings], AfterValidator(_at_least_one)]
    interfaces: Overrides = Field(default_factory=dict, validate_default=True)
    alarms: AlarmSettings = AlarmSettings()
    currency: Text | None = None
    unknown_keys: UnknownKeys = "count"
    states: States = "names"
    factors: Items[Factor] = ()
    plant_coordinates: Table[Text, Pair[Latitude, Longitude]] = Field(
        default_factory=dict, validate_default=True
    )
    state: StateSettings = StateSettings()
    history: HistorySettings = Field(default_factory=HistorySettings)

    def interface(self, account: AccountSettings, name: str) -> InterfaceSettings:
        """One interface's settings; a key is the account's, else the file's, else the default."""
        places = [
            overrides[name]
            for overrides in (account.interfaces, self.interfaces)
            if name in overrides
        ]

        def first(key: str) -> Any:
            values = (getattr(place, key) for place in places)
            return next((value for value in values if value is not None), None)

        row = INTERFACES[name]
        enabled, every = first("enabled"), first("every")
        return InterfaceSettings(
            enabled=row.enabled if enabled is None else enabled,
            every=row.every if every is None else every,
            allowance=first("allowance"),
        )

    @model_validator(mode="after")
    def _keys_have_an_effect(self) -> Self:
        places = {"interfaces": self.interfaces} | {
            f"accounts[{n}].interfaces": account.interfaces
            for n, account in enumerate(self.accounts)
        }
        unused = [
            f"{place}.{name}.{key}: has no effect, delete it"
            for place, overrides in places.items()
            for name, override in overrides.items()
            if not INTERFACES[name].polled
            for key in sorted(override.model_fields_set - {"allowance"})
        ]
        if unused:
            raise ValueError("; ".join(unused))
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [account.name for account in self.accounts]
        for n, name in enumerate(names):
            if name in names[:n]:
                raise ValueError(
                    f"accounts[{n}].name: is the name of accounts[{names.index(name)}] too"
                )
        return self

    @model_validator(mode="after")
    def _refresh_tokens_differ(self) -> Self:
        first: dict[object, int] = {}
        for n, account in enumerate(self.accounts):
            if account.auth and (other := first.setdefault(account.auth.refresh_token_file, n)) < n:
                raise ValueError(
                    f"accounts[{n}].auth.refresh_token_file: is that of accounts[{other}] too, but "
                    "each refresh token is good for one use"
                )
        return self

    @model_validator(mode="after")
    def _plants_are_listed(self) -> Self:
        for n, account in enumerate(self.accounts):
            if not self.interface(account, PLANT_LIST.name).enabled:
                raise ValueError(
                    f"accounts[{n}].interfaces: {PLANT_LIST.name} is disabled, but without the "
                    "list of plants nothing can be asked"
                )
        return self

    @model_validator(mode="after")
    def _one_source_of_device_values(self) -> Self:
        for n, account in enumerate(self.accounts):
            enabled = [name for name in _SAME_VALUES if self.interface(account, name).enabled]
            if len(enabled) > 1:
                raise ValueError(
                    f"accounts[{n}].interfaces: {' and '.join(enabled)} are enabled together, "
                    "but give the same values; leave one of them"
                )
        return self
