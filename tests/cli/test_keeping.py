"""What the command line keeps on disk: tokens and AWS profiles, private, and nothing of others lost."""

import configparser
import os
import stat
from pathlib import Path

import pytest

from strongroom.cli import aws_profile, files, profiles
from strongroom.cli.problems import Problem
from strongroom.cli.profiles import Profile
from strongroom.cli.session import Session, Wishes, normal_url

THEIRS = """\
# mine, by hand
[default]
aws_access_key_id = AKIAMINE
aws_secret_access_key = theirs

[cohort]
aws_access_key_id = OLD
aws_secret_access_key = old
# a remark that belongs to cohort

[cohort-2]
aws_access_key_id = OTHER
"""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _write(name: str, environ: dict[str, str], *, overwrite: bool = False) -> None:
    target = aws_profile.prepare(name, environ, overwrite=overwrite)
    target.write("AKIANEW", "new%secret", endpoint="http://127.0.0.1:9400", region="us-east-1")


def test_profiles_are_private_and_others_stay(home: Path) -> None:
    first, second = Profile("https://one.example.org", "srt_1"), Profile("https://two.example.org", "srt_2", "a@b.org")
    file = profiles.save(os.environ, "default", first)
    profiles.save(os.environ, "lab", second)
    assert profiles.load(os.environ) == {"default": first, "lab": second}
    assert (_mode(file), _mode(file.parent)) == (0o600, 0o700)
    assert file == home / ".config" / "strongroom" / "profiles.json"
    profiles.forget(os.environ, "default")
    assert profiles.load(os.environ) == {"lab": second}


def test_a_profile_never_shows_its_token_in_a_traceback() -> None:
    assert "srt_1" not in repr(Profile("https://one.example.org", "srt_1"))


def test_a_broken_file_of_profiles_says_what_to_do(home: Path) -> None:
    file = profiles.save(os.environ, "default", Profile("https://one.example.org", "srt_1"))
    file.write_text('{"profiles": [1]}')
    with pytest.raises(Problem, match=r"profiles\.json cannot be understood"):
        profiles.load(os.environ)


def test_the_token_of_one_server_is_not_sent_to_another(home: Path) -> None:
    profiles.save(os.environ, "default", Profile("https://one.example.org", "srt_1"))
    here = Session(Wishes(), {**os.environ, "STRONGROOM_URL": "https://one.example.org/"})
    assert here.signed_in.token == "srt_1"
    elsewhere = Session(Wishes(), {**os.environ, "STRONGROOM_URL": "https://evil.example.org"})
    with pytest.raises(Problem, match=r"There is no token for https://evil\.example\.org"):
        _ = elsewhere.signed_in


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://host/", "https://host"),
        ("host.example.org", "https://host.example.org"),
        ("127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("HTTPS://Host:8443/strongroom/api/v1/", "https://host:8443/strongroom"),
    ],
)
def test_an_address_may_be_typed_in_several_ways(given: str, meant: str) -> None:
    assert normal_url(given) == meant


def test_an_aws_profile_is_written_beside_those_that_are_there(home: Path) -> None:
    folder = home / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(THEIRS)
    _write("study", {})
    text = (folder / "credentials").read_text()
    assert text.startswith(THEIRS)
    read = configparser.RawConfigParser()
    read.read_string(text)
    assert dict(read["study"]) == {"aws_access_key_id": "AKIANEW", "aws_secret_access_key": "new%secret"}
    settings = configparser.RawConfigParser()
    settings.read_string((folder / "config").read_text())
    assert settings["profile study"]["endpoint_url"] == "http://127.0.0.1:9400"
    assert _mode(folder / "credentials") == _mode(folder / "config") == 0o600


def test_a_profile_that_is_there_is_only_replaced_when_said_so(home: Path) -> None:
    folder = home / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(THEIRS)
    with pytest.raises(Problem, match="has a profile cohort already"):
        aws_profile.prepare("cohort", {}, overwrite=False)
    _write("cohort", {}, overwrite=True)
    read = configparser.RawConfigParser()
    read.read_string((folder / "credentials").read_text())
    assert read["cohort"]["aws_access_key_id"] == "AKIANEW"
    assert read["cohort-2"]["aws_access_key_id"] == "OTHER"
    assert read["default"]["aws_secret_access_key"] == "theirs"


def test_the_files_named_in_the_environment_are_used(home: Path, tmp_path: Path) -> None:
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "c"), "AWS_CONFIG_FILE": str(tmp_path / "d" / "config")}
    _write("default", environ)
    assert "[default]" in (tmp_path / "c").read_text()
    assert "[default]" in (tmp_path / "d" / "config").read_text()
    assert not (home / ".aws").exists()


def test_botocore_reads_the_profile_as_it_is_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.session import Session as Botocore

    _write("study", {})
    monkeypatch.setenv("AWS_PROFILE", "study")
    client = Botocore().create_client("s3")
    assert client.meta.endpoint_url == "http://127.0.0.1:9400"
    assert client.meta.config.s3 == {"addressing_style": "path"}
    assert client.meta.config.region_name == "us-east-1"


@pytest.mark.parametrize("name", ["a]b", "a b", "", "-x", "a\nb", "x" * 65])
def test_a_name_that_would_break_the_file_is_refused(home: Path, name: str) -> None:
    with pytest.raises(Problem, match="cannot be the name of a profile"):
        aws_profile.prepare(name, {}, overwrite=True)


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "", "..", "a\\b", "C:x", "a\0b"])
def test_a_file_name_of_a_server_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem, match="not a plain name"):
        files.inside(tmp_path, name)


def test_a_stream_that_breaks_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "manifest.jsonl"
    file.write_text("old")

    def breaking():  # type: ignore[no-untyped-def]  # a generator that is never finished
        yield b"new"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        files.write_stream(file, breaking())
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
