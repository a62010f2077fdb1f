from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exporter.config import AccountSettings, Allowance, ConfigError, InterfaceSettings, Settings
from exporter.config.errors import format_errors
from exporter.northbound.interfaces import INTERFACES

ACCOUNT = "accounts:\n  - username: api-user\n    password: secret\n"


def test_credentials_are_enough(loaded) -> None:
    account = loaded(ACCOUNT).accounts[0]
    assert (account.name, account.base_url, account.username, account.secret()) == (
        "default",
        "https://eu5.fusionsolar.huawei.com",
        "api-user",
        "secret",
    )


def test_what_nobody_mentions_is_as_the_table_says(loaded) -> None:
    settings = loaded(ACCOUNT)
    merged = {name: settings.interface(settings.accounts[0], name) for name in INTERFACES}
    assert merged == {
        name: InterfaceSettings(row.enabled, row.every, None) for name, row in INTERFACES.items()
    }


def test_the_account_wins_over_the_file_and_the_file_over_the_table_key_by_key(loaded) -> None:
    settings = loaded("""
accounts:
  - name: home
    username: api-user
    password: secret
    interfaces:
      getAlarmList: {enabled: false, allowance: {calls: 2, per: 10m}}
      getDevList: {every: 2h}
  - name: farm
    username: other-user
    password: secret
interfaces:
  getAlarmList: {every: 15m, allowance: {calls: 1, per: 5m}}
  getDevList: {enabled: false, every: 4h, allowance: {calls: 9, per: 1d}}
""")
    home, farm = settings.accounts
    assert {
        (account.name, name): settings.interface(account, name)
        for account in (home, farm)
        for name in ("getAlarmList", "getDevList", "getStationList")
    } == {
        ("home", "getAlarmList"): InterfaceSettings(
            enabled=False, every=900.0, allowance=Allowance(calls=2, per="10m")
        ),
        ("home", "getDevList"): InterfaceSettings(
            enabled=False, every=7200.0, allowance=Allowance(calls=9, per="1d")
        ),
        ("home", "getStationList"): InterfaceSettings(True, 21_600.0, None),
        ("farm", "getAlarmList"): InterfaceSettings(
            enabled=True, every=900.0, allowance=Allowance(calls=1, per="5m")
        ),
        ("farm", "getDevList"): InterfaceSettings(
            enabled=False, every=14_400.0, allowance=Allowance(calls=9, per="1d")
        ),
        ("farm", "getStationList"): InterfaceSettings(True, 21_600.0, None),
    }


def test_zero_and_false_of_the_account_win_too(loaded) -> None:
    settings = loaded(
        f"{ACCOUNT}    interfaces: {{getDevList: {{enabled: false, every: 0s}}}}\n"
        "interfaces: {getDevList: {enabled: true, every: 1h}}"
    )
    assert settings.interface(settings.accounts[0], "getDevList") == InterfaceSettings(
        enabled=False, every=0.0, allowance=None
    )


def test_five_minute_values_may_replace_the_real_time_ones_of_one_account(loaded) -> None:
    settings = loaded(
        f"{ACCOUNT}    interfaces: {{getDevRealKpi: {{enabled: false}}}}\n"
        "interfaces: {getDevFiveMinutes: {enabled: true}}"
    )
    assert settings.interface(settings.accounts[0], "getDevFiveMinutes").enabled


def test_the_account_at_fault_is_named_when_both_are_enabled(loaded) -> None:
    with pytest.raises(ConfigError, match=r"accounts\[1\]\.interfaces: "):
        loaded("""
accounts:
  - {name: a, username: u, password: p, interfaces: {getDevRealKpi: {enabled: false}}}
  - {name: b, username: u, password: p}
interfaces: {getDevFiveMinutes: {enabled: true}}
""")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://10.0.0.1:27200/", "https://10.0.0.1:27200"),
        ("https://proxy.example/huawei/", "https://proxy.example/huawei"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://EU5.FusionSolar.Huawei.com:443", "https://eu5.fusionsolar.huawei.com"),
        ("http://Proxy.example:80/Huawei", "http://proxy.example/Huawei"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://proxy.example/my/rest-of-it/", "https://proxy.example/my/rest-of-it"),
        ("https://region01eu5.example.com", "https://region01eu5.example.com"),
    ],
)
def test_a_base_url_has_one_spelling(loaded, written: str, kept: str) -> None:
    assert loaded(f"{ACCOUNT}    base_url: {written}").accounts[0].base_url == kept


def test_labels_are_text_and_may_come_from_the_environment(loaded) -> None:
    text = f"""{ACCOUNT}    labels: {{customer: '4711', _Region2: "${{REGION}}"}}"""
    labels = loaded(text, {"REGION": 'Köln "west"'}).accounts[0].labels
    assert dict(labels) == {"customer": "4711", "_Region2": 'Köln "west"'}
    with pytest.raises(TypeError):
        labels["customer"] = "other"


def test_wildcards_are_kept_as_given(loaded) -> None:
    text = f"{ACCOUNT}    plants: {{include: ['NE=*', 'Roof ?'], exclude: ['[ab]*']}}"
    plants = loaded(text).accounts[0].plants
    assert (plants.include, plants.exclude) == (("NE=*", "Roof ?"), ("[ab]*",))


def test_a_device_type_is_a_name_or_a_number_without_one(loaded) -> None:
    account = loaded(f"{ACCOUNT}    device_types: [battery, type_23099]").accounts[0]
    assert account.device_types == ("battery", "type_23099")


def test_factors_and_coordinates_are_numbers(loaded) -> None:
    settings = loaded(f"""{ACCOUNT}
factors: [{{device_type: 17, key: active_power, factor: 1000}}]
plant_coordinates: {{NE=33554792: [48, -11.6]}}
""")
    factor = settings.factors[0]
    assert (factor.device_type, factor.key, factor.factor) == (17, "active_power", 1000.0)
    assert dict(settings.plant_coordinates) == {"NE=33554792": (48.0, -11.6)}


def test_paths_are_relative_to_the_file(loaded, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    settings = loaded(f"{ACCOUNT}    tls: {{ca_file: ca.pem}}\nstate: {{directory: memory}}")
    assert settings.accounts[0].tls.ca_file == tmp_path / "ca.pem"
    assert settings.state.directory == tmp_path / "memory"


def test_settings_cannot_be_changed(loaded) -> None:
    settings = loaded(f"{ACCOUNT}interfaces: {{getDevList: {{every: 1h}}}}")
    with pytest.raises(ValidationError):
        settings.currency = "EUR"
    with pytest.raises(ValidationError):
        settings.accounts[0].name = "other"
    with pytest.raises(TypeError):
        settings.interfaces["getAlarmList"] = settings.interfaces["getDevList"]
    with pytest.raises(TypeError):
        settings.plant_coordinates["NE=1"] = (0.0, 0.0)


def test_anchors_and_merge_keys_are_plain_yaml(loaded) -> None:
    settings = loaded("""
accounts:
  - &home {name: home, username: api-user, password: secret, timeout: 10s}
  - {<<: *home, name: farm, timeout: 20s}
""")
    assert [(each.name, each.secret(), each.timeout) for each in settings.accounts] == [
        ("home", "secret", 10.0),
        ("farm", "secret", 20.0),
    ]


def test_a_byte_order_mark_is_no_part_of_the_file(loaded) -> None:
    assert loaded(f"\ufeff{ACCOUNT}").accounts[0].username == "api-user"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.sampled_from(["", "30", "30s", "safe", "getDevList", "every", "calls", "battery"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["getDevList", "every", "include", "verify"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([*Settings.model_fields, "unknown", 1]), VALUES),
    st.dictionaries(st.sampled_from([*AccountSettings.model_fields, "unknown", 1]), VALUES),
)
def test_every_mistake_has_words_of_our_own(tree, account) -> None:
    try:
        Settings.model_validate({**tree, "accounts": [account]}, context=Path("/nowhere"))
    except ValidationError as error:
        words = format_errors(error, Settings)
        assert words
        assert [text for text in words if text.endswith("is not valid")] == []
