from pathlib import Path

import pytest

from exporter.config import ConfigError, load

BAD = Path(__file__).parent / "bad"

_NOT_YAML = (
    "is not valid YAML; look at the indentation (no tabs), and put text with special "
    "characters in quotes"
)
_URL = "must be an http:// or https:// URL without user, password, ? or #"
_LABEL = "must be letters, digits and _, without a digit or __ at the start"
_QUOTES = "must be text; put it in quotes"
_KEYS = (
    "unknown key; it can be accounts, interfaces, alarms, currency, unknown_keys, states, factors, "
    "plant_coordinates, state, history"
)

_HEADER = "holds what no header can, such as a line break"
_ONE_WAY = (
    "signs in by username and password, by bearer_token or by a header Authorization; keep one"
)

# One file for each kind of mistake, and all that is said about it after the file's name.
MESSAGES = {
    "empty": "holds no settings; a mapping with the key accounts is wanted",
    "no_mapping": "holds no settings; a mapping with the key accounts is wanted",
    "not_yaml": f"line 4: {_NOT_YAML}",
    "tab": f"line 4: {_NOT_YAML}",
    "two_documents": "holds several YAML documents; one is wanted",
    "duplicate_key": 'line 5: "timeout" stands on line 4 already',
    "tag": "line 3: a value that begins with ! needs quotes",
    "python_tag": "line 1: a value that begins with ! needs quotes",
    "unknown_alias": f"line 3: {_NOT_YAML}",
    "endless_alias": "line 2: more than 100000 values, aliases written out",
    "alias_bomb": "line 5: more than 100000 values, aliases written out",
    "merge_bomb": "line 6: more than 100000 values, aliases written out",
    "deep": "is not valid YAML",
    "huge_number": "is not valid YAML",
    "no_accounts": "accounts: is missing",
    "accounts_empty": "accounts: needs at least one account",
    "accounts_null": "accounts: has no value",
    "accounts_mapping": "accounts: must be a list, such as [a, b]",
    "account_text": "accounts[0]: must be a mapping, such as {key: value}",
    "unknown_key": "accounts[0].timeot: unknown key; did you mean timeout?",
    "unknown_key_far": f"tariff: {_KEYS}",
    "account_key_outside": (f"limits: unknown key; it belongs in accounts[n]; timeot: {_KEYS}"),
    "interface_key_outside": (
        "accounts[0].include: unknown key; "
        "it belongs in accounts[0].plants or accounts[0].devices; "
        "every: unknown key; it belongs in interfaces[name]; "
        "language: unknown key; it belongs in alarms"
    ),
    "key_number": f"[1]: {_QUOTES}",
    "key_with_line_break": f'["a b"]: {_KEYS}',
    "key_list": f"line 4: {_NOT_YAML}",
    "name_empty": "accounts[0].name: must not be empty",
    "name_twice": "accounts[1].name: is the name of accounts[0] too",
    "labels_list": "accounts[0].labels: must be a mapping, such as {key: value}",
    "labels_names": (
        f'accounts[0].labels["customer-id"]: {_LABEL}; '
        f"accounts[0].labels.__param_account: {_LABEL}; accounts[0].labels.2nd: {_LABEL}; "
        "accounts[0].labels.plant_code: is a label that series have already; choose another name; "
        "accounts[0].labels.job: is a label that series have already; choose another name; "
        "accounts[0].labels.fusionsolar_inverter_state: is a label that series have already; "
        "choose another name"
    ),
    "labels_values": (
        f"accounts[0].labels.customer: {_QUOTES}; accounts[0].labels.region: must not be empty; "
        "accounts[0].labels.site: has no value"
    ),
    "base_url_ftp": f"accounts[0].base_url: {_URL}",
    "base_url_host": f"accounts[0].base_url: {_URL}",
    "base_url_user": f"accounts[0].base_url: {_URL}",
    "base_url_query": f"accounts[0].base_url: {_URL}",
    "base_url_fragment": f"accounts[0].base_url: {_URL}",
    "base_url_blank": f"accounts[0].base_url: {_URL}",
    "base_url_port": f"accounts[0].base_url: {_URL}",
    "base_url_login": (
        "accounts[0].base_url: holds a path of the interface, which is added to it; write https://eu5.fusionsolar.huawei.com"
    ),
    "base_url_path": (
        "accounts[0].base_url: holds a path of the interface, which is added to it; write https://intl.fusionsolar.huawei.com"
    ),
    "base_url_prefix_and_path": (
        "accounts[0].base_url: holds a path of the interface, which is added to it; write http://proxy.example:8080/huawei"
    ),
    "base_url_portal": (
        "accounts[0].base_url: is an address of the portal; write the host of the northbound "
        "interface alone, such as https://eu5.fusionsolar.huawei.com"
    ),
    "base_url_portal_home": (
        "accounts[0].base_url: is an address of the portal; write the host of the northbound "
        "interface alone, such as https://intl.fusionsolar.huawei.com"
    ),
    "base_url_portal_host": (
        "accounts[0].base_url: is a host of the portal, without a northbound interface; write https://eu5.fusionsolar.huawei.com"
    ),
    "base_url_cloud_path": (
        "accounts[0].base_url: the cloud has its northbound interface without a path; "
        "write https://la5.fusionsolar.huawei.com"
    ),
    "username_missing": "accounts[0].username: is missing",
    "username_number": f"accounts[0].username: {_QUOTES}",
    "username_null": "accounts[0].username: has no value",
    "password_missing": "accounts[0]: needs one of password and password_file",
    "password_number": f"accounts[0].password: {_QUOTES}",
    "password_empty": "accounts[0].password: must not be empty",
    "password_and_file": "accounts[0]: needs one of password and password_file",
    "password_file_missing": "accounts[0].password_file: cannot be read: No such file or directory",
    "auth_and_password": (
        "accounts[0]: signs in by auth, or with username and password; keep one of both"
    ),
    "auth_text": "accounts[0].auth: must be a mapping, such as {key: value}",
    "auth_type": "accounts[0].auth.type: must be 'oauth'",
    "auth_empty": (
        "accounts[0].auth.type: is missing; accounts[0].auth.client_id: is missing; "
        "accounts[0].auth.refresh_token_file: is missing"
    ),
    "auth_two_secrets": "accounts[0].auth: needs one of client_secret and client_secret_file",
    "auth_no_secret": "accounts[0].auth: needs one of client_secret and client_secret_file",
    "auth_url": (
        "accounts[0].auth.token_url: must be an http:// or https:// URL without user, password or #"
    ),
    "auth_directory": "accounts[0].auth.refresh_token_file: is not a file",
    "auth_same_file": (
        "accounts[1].auth.refresh_token_file: is that of accounts[0] too, but each refresh token "
        "is good for one use"
    ),
    "password_file_number": "accounts[0].password_file: must be a path, as text",
    "variable_unset": (
        "accounts[0].username: the environment variable FUSIONSOLAR_USER is not set; "
        "accounts[0].password: the environment variable FUSIONSOLAR_PASSWORD is not set"
    ),
    "limits_unknown": 'accounts[0].limits: "clasic" is no set of limits; did you mean classic?',
    "plants_number": f"accounts[0].plants.include[0]: {_QUOTES}",
    "plants_text": "accounts[0].plants.include: must be a list, such as [a, b]",
    "plants_null": "accounts[0].plants: has no value",
    "devices_empty": "accounts[0].devices.exclude[0]: must not be empty",
    "device_type_unknown": (
        'accounts[0].device_types[0]: "sting_inverter" is no device type; did you mean '
        "string_inverter or central_inverter?"
    ),
    "device_type_named": (
        'accounts[0].device_types[0]: "type_39" is no device type; it is called battery'
    ),
    "timeout_number": 'accounts[0].timeout: "30" has no unit; write 30s or 1h30m',
    "timeout_no_unit": 'accounts[0].timeout: "30" has no unit; write 30s or 1h30m',
    "timeout_zero": "accounts[0].timeout: must be more than 0",
    "timeout_order": (
        'accounts[0].timeout: "30s1m" is no duration; write it like 30s, 1h30m or 0.5s'
    ),
    "timeout_two_decimals": (
        'accounts[0].timeout: "1.5m0.5s" is no duration; write it like 30s, 1h30m or 0.5s'
    ),
    "timeout_negative": (
        'accounts[0].timeout: "-30s" is no duration; write it like 30s, 1h30m or 0.5s'
    ),
    "timeout_list": "accounts[0].timeout: must be a duration, such as 30s or 1h30m",
    "timeout_endless": 'accounts[0].timeout: "101y" is longer than 100 years',
    "ca_file_missing": "accounts[0].tls.ca_file: cannot be read: No such file or directory",
    "ca_file_no_certificate": "accounts[0].tls.ca_file: holds no certificates in PEM form",
    "verify_text": "accounts[0].tls.verify: must be true or false",
    "verify_number": "accounts[0].tls.verify: must be true or false",
    "interface_unknown": (
        'interfaces.getDevLst: "getDevLst" is no interface; did you mean getDevList or '
        "getDevHistoryKpi or getDevKpiMonth?"
    ),
    "interface_key": "interfaces.getDevList.evry: unknown key; did you mean every?",
    "interface_number": f"accounts[0].interfaces[17]: {_QUOTES}",
    "every_number": 'interfaces.getDevList.every: "0" has no unit; write 30s or 1h30m',
    "allowance_partial": "interfaces.getDevList.allowance.per: is missing",
    "allowance_zero": (
        "interfaces.getDevList.allowance.calls: must be at least 1; "
        "interfaces.getDevList.allowance.per: must be more than 0"
    ),
    "allowance_fraction": "interfaces.getDevList.allowance.calls: must be a whole number",
    "keys_without_effect": (
        "interfaces.login.enabled: has no effect, delete it; "
        "interfaces.login.every: has no effect, delete it; "
        "accounts[0].interfaces.snIsRegister.enabled: has no effect, delete it"
    ),
    "both_device_interfaces": (
        "accounts[0].interfaces: getDevRealKpi and getDevFiveMinutes are enabled together, but "
        "give the same values; leave one of them"
    ),
    "plant_list_disabled": (
        "accounts[0].interfaces: getStationList is disabled, but without the list of plants "
        "nothing can be asked"
    ),
    "alarms_level": 'alarms.levels[0]: "critcal" is no alarm severity; did you mean critical?',
    "alarms_type": f"alarms.types[0]: {_QUOTES}",
    "alarms_negative": "alarms.max_active_per_plant: must be at least 0",
    "states": 'states: "code" is no way to show states; did you mean codes?',
    "unknown_keys": 'unknown_keys: "show" is no way with unknown keys; it can be count, export',
    "currency_date": f"currency: {_QUOTES}",
    "factor_zero": "factors[0].factor: must not be 0",
    "factor_infinite": "factors[0].factor: must be a finite number",
    "factor_text": "factors[0].factor: must be a number, such as 1000 or 0.001",
    "factor_device_type": "factors[0].device_type: must be a whole number",
    "coordinates_code": f"plant_coordinates[33554792]: {_QUOTES}",
    "coordinates_range": (
        'plant_coordinates["NE=33554792"][0]: must be at most 90; '
        'plant_coordinates["NE=33554792"][1]: must be at least -180'
    ),
    "coordinates_one": 'plant_coordinates["NE=33554792"][1]: is missing',
    "coordinates_three": 'plant_coordinates["NE=33554792"]: must have 2 values, not more',
    "coordinates_text": 'plant_coordinates["NE=33554792"]: must be a list, such as [a, b]',
    "state_text": "state: must be a mapping, such as {key: value}",
    "state_directory_nul": "state.directory: must be a path, as text",
    "state_directory_number": "state.directory: must be a path, as text",
    "state_two_places": "state: takes one of directory, database and database_file",
    "state_database_other": (
        "state.database: is no URL such as postgresql://user:password@host/database"
    ),
    "state_database_file_missing": "state.database_file: cannot be read: No such file or directory",
    "history_labels": (
        "history.labels.plant_code: is a label that series have already; choose another name; "
        "history.labels.le: is a label that series have already; choose another name; "
        f"history.labels.__name__: {_LABEL}"
    ),
    "remote_write_headers": (
        f"history.remote_write.bearer_token: {_HEADER}; "
        'history.remote_write.headers["X Scope"]: is no name of a header; '
        f'history.remote_write.headers["X-Scope-OrgID"]: {_HEADER}; '
        f'history.remote_write.headers["X-Site"]: {_HEADER}'
    ),
    "remote_write_password_alone": "history.remote_write: has a password without a username",
    "remote_write_two_ways": f"history.remote_write: {_ONE_WAY}",
    "remote_write_header_and_token": f"history.remote_write: {_ONE_WAY}",
    "several": (
        'accounts[0].limits: "v5" is no set of limits; did you mean v25?; '
        f'accounts[0].timeout: "30" has no unit; write 30s or 1h30m; currency: {_QUOTES}'
    ),
    "not_utf8": "cannot be read: it is not UTF-8 text",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_bad_file_is_refused_in_one_line_that_names_the_place(name: str) -> None:
    path = BAD / f"{name}.yaml"
    with pytest.raises(ConfigError) as refusal:
        load(path, {})
    assert str(refusal.value) == f"{path}: {MESSAGES[name]}"


def test_every_bad_file_has_its_message() -> None:
    assert {path.stem for path in BAD.iterdir()} == set(MESSAGES)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with pytest.raises(ConfigError) as refusal:
        load(path, {})
    assert str(refusal.value) == (
        f"{path}: cannot be read: No such file or directory; "
        "`fusionsolar-exporter files --output . config` writes an example; "
        "or name another file with --config.file"
    )


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, {})
    assert str(refusal.value) == f"{tmp_path}: cannot be read: Is a directory"
