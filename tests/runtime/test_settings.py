"""Settings: every one has a default that reads, and a wrong value is named with its variable and the way out."""

import dataclasses
import re

import pytest

from strongroom.cli.main import ENVIRONMENT
from strongroom.core.errors import Invalid
from strongroom.core.settings import PREFIX, Settings, entries


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environ({})
    assert settings.web_url == "http://127.0.0.1:8400"
    assert settings.gateway_endpoint == "http://127.0.0.1:9400"
    assert settings.attachment_link_seconds == 300


@pytest.mark.parametrize(
    ("variable", "value", "way_out"),
    [
        ("STRONGROOM_WEB_PORT", "http", "whole number from 1 to 65535"),
        ("STRONGROOM_WEB_PORT", "70000", "whole number from 1 to 65535"),
        ("STRONGROOM_WEB_PORT", "-1", "whole number"),
        ("STRONGROOM_WEB_PORT", "٨٤٠٠", "whole number"),
        ("STRONGROOM_ORG", "Clinic East", "lower-case letters or digits"),
        ("STRONGROOM_ORG", "a" * 19, "1 to 18"),
        ("STRONGROOM_ENGINE", "ceph", "seaweedfs, memory"),
        ("STRONGROOM_DATABASE_URL", "mysql://db/x", "postgresql://"),
        ("STRONGROOM_DATABASE_URL", "postgresql://db", "/name"),
        ("STRONGROOM_PUBLIC_URL", "strongroom.example.org", "https://"),
        ("STRONGROOM_PUBLIC_URL", "https://example.org/strongroom", "without a path"),
        ("STRONGROOM_TRUSTED_PROXIES", "10.0.0.1/8", "networks"),
        ("STRONGROOM_TRUSTED_PROXIES", "proxy.example.org", "networks"),
        ("STRONGROOM_ALLOWED_HOSTS", "example.org:8400", "without port"),
        ("STRONGROOM_UPLOAD_ORIGINS", "https://a.example.org,*", "https://"),
        ("STRONGROOM_ATTACHMENT_LINK_SECONDS", "301", "from 10 to 300"),
        ("STRONGROOM_ADMIN_EMAIL", "root", "e-mail address"),
        ("STRONGROOM_WEB_HOST", "localhost:8400", "without port"),
        ("STRONGROOM_LOG_LEVEL", "loud", "debug, info"),
    ],
)
def test_a_wrong_value_is_refused_with_variable_value_and_way_out(variable: str, value: str, way_out: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.from_environ({variable: value})
    assert variable in str(refusal.value)
    assert way_out in str(refusal.value)
    assert variable in refusal.value.fields


def test_a_password_in_a_wrong_database_url_is_not_repeated() -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.from_environ({"STRONGROOM_DATABASE_URL": "mysql://me:hunter2@db/x"})
    assert "hunter2" not in str(refusal.value)


def test_a_password_is_not_in_the_representation() -> None:
    settings = Settings.from_environ({"STRONGROOM_DATABASE_URL": "postgresql://me:hunter2@db/x"})
    assert "hunter2" not in repr(settings)


def test_a_misspelt_setting_is_refused_and_the_right_one_named() -> None:
    with pytest.raises(Invalid, match="did you mean STRONGROOM_WEB_PORT"):
        Settings.from_environ({"STRONGROOM_WEB_PROT": "8400"})


def test_variables_of_the_command_line_are_let_be() -> None:
    assert len(ENVIRONMENT) > 3
    Settings.from_environ(dict.fromkeys(ENVIRONMENT, "anything"))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"STRONGROOM_GATEWAY_TLS_CERT": "/x.pem"}, "STRONGROOM_GATEWAY_TLS_KEY"),
        ({"STRONGROOM_WEB_PORT": "9415"}, "STRONGROOM_ENGINE_PORT"),
        ({"STRONGROOM_GATEWAY_PORT": "9410"}, "STRONGROOM_GATEWAY_PORT"),
        ({"STRONGROOM_WEB_PORT": "9400"}, "STRONGROOM_GATEWAY_PORT"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        Settings.from_environ(environ)


def test_addresses_of_version_6_stand_in_brackets_in_urls() -> None:
    settings = Settings.from_environ({"STRONGROOM_WEB_HOST": "::", "STRONGROOM_GATEWAY_HOST": "[fd00::5]"})
    assert settings.web_url == "http://[::1]:8400"
    assert settings.gateway_endpoint == "http://[fd00::5]:9400"


def test_a_certificate_makes_the_endpoint_https() -> None:
    environ = {"STRONGROOM_GATEWAY_TLS_CERT": "/c.pem", "STRONGROOM_GATEWAY_TLS_KEY": "/k.pem"}
    assert Settings.from_environ(environ).gateway_endpoint == "https://127.0.0.1:9400"


def test_every_setting_has_a_unit_and_one_line_that_says_what_it_is() -> None:
    listed = entries()
    names = {PREFIX + each.name.upper() for each in dataclasses.fields(Settings)}
    assert sorted(each.variable for each in listed) == sorted(names)
    for entry in listed:
        assert entry.unit, entry.variable
        assert re.fullmatch(r"[A-Z`][^\n]*\.", entry.doc), entry.variable


def test_every_default_that_is_shown_is_the_default_that_holds() -> None:
    shown = {entry.variable: entry.default for entry in entries()}
    assert Settings.from_environ(shown) == Settings.from_environ({})


def test_the_origins_of_the_console_are_written_as_browsers_write_them() -> None:
    told = {"STRONGROOM_PUBLIC_URL": "https://Strongroom.Example.org:443/"}
    told["STRONGROOM_UPLOAD_ORIGINS"] = "http://10.0.0.5:80, https://strongroom.example.org, http://[::1]:8400"
    wanted = ("https://strongroom.example.org", "http://10.0.0.5", "http://[::1]:8400")
    assert Settings.from_environ(told).console_origins == wanted
    assert Settings.from_environ({}).console_origins == ("http://127.0.0.1:8400",)
