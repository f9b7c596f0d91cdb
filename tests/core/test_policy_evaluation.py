"""The evaluator's own rules, each on the smallest document that shows it."""

import json

import pytest

from strongroom.core.policy_evaluation import Caller, is_allowed

BUCKET = "arn:aws:s3:::ds"
OBJECT = f"{BUCKET}/a/b"
ADA = Caller("ada", "arn:aws:iam::000000000000:user/ada", "user")
SERVER = Caller("srv-1", "arn:aws:sts::000000000000:assumed-role/servers/srv-1", "session")
ANONYMOUS = Caller(None, None, "anonymous")
ADMIN = Caller("admin", "arn:aws:iam::000000000000:user/admin", "control-plane")
EVERYBODY = (ADA, SERVER, ANONYMOUS, ADMIN)


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def rule(effect: str = "Allow", **changes: object) -> dict[str, object]:
    return {"Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"} | changes


def who_may(policy: str, action: str = "s3:GetObject", resource: str = OBJECT) -> tuple[Caller, ...]:
    return tuple(caller for caller in EVERYBODY if is_allowed(policy, caller, action, resource))


def test_nobody_but_the_control_plane_is_allowed_by_default() -> None:
    assert who_may(document()) == (ADMIN,)


def test_an_allow_for_everybody_includes_anonymous() -> None:
    assert who_may(document(rule())) == EVERYBODY


def test_an_explicit_deny_beats_every_allow_and_the_control_plane() -> None:
    assert who_may(document(rule(), rule("Deny"))) == ()


def test_a_user_is_not_the_principal_of_its_sessions() -> None:
    vending = rule(Principal={"AWS": "arn:aws:iam::000000000000:user/servers"})
    assert who_may(document(vending)) == (ADMIN,)


def test_a_role_is_the_principal_of_its_sessions_and_of_no_other() -> None:
    assert who_may(document(rule(Principal={"AWS": "arn:aws:iam::000000000000:role/servers"}))) == (SERVER, ADMIN)
    assert who_may(document(rule(Principal={"AWS": "arn:aws:iam::000000000000:role/server"}))) == (ADMIN,)


def test_wildcards_in_principals_match_across_slashes_and_colons() -> None:
    assert who_may(document(rule(Principal={"AWS": ["arn:aws:sts::*"]}))) == (SERVER, ADMIN)


def test_action_and_resource_are_matched_in_exact_case_and_as_a_whole() -> None:
    policy = document(rule())
    assert not is_allowed(policy, ADA, "s3:getobject", OBJECT)
    assert not is_allowed(policy, ADA, "s3:GetObjectVersion", OBJECT)
    assert not is_allowed(policy, ADA, "s3:GetObject", BUCKET)
    assert not is_allowed(policy, ADA, "s3:GetObject", f"{BUCKET}2/a/b")
    assert not is_allowed(document(rule(Resource=f"{BUCKET}/a.b")), ADA, "s3:GetObject", f"{BUCKET}/axb")


def test_a_deny_reaches_keys_with_line_breaks() -> None:
    assert not is_allowed(document(rule("Deny")), ADMIN, "s3:GetObject", f"{BUCKET}/a\nb")


def test_a_multipart_call_is_allowed_and_denied_under_its_own_name_and_as_a_put() -> None:
    for action in ("s3:PutObject", "s3:UploadPart"):
        assert is_allowed(document(rule(Action=action)), ADA, "s3:UploadPart", OBJECT)
        denied = document(rule(Action=["s3:PutObject", "s3:UploadPart"]), rule("Deny", Action=action))
        assert not is_allowed(denied, ADA, "s3:UploadPart", OBJECT)
    assert not is_allowed(document(rule(Action="s3:UploadPart")), ADA, "s3:PutObject", OBJECT)


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("StringEquals", "ada", (ADA,)),
        ("StringNotEquals", "ada", (SERVER, ANONYMOUS, ADMIN)),
        ("StringEquals", ["ada", "srv-1"], (ADA, SERVER)),
        ("StringNotEquals", ["ada", "srv-1"], (ANONYMOUS, ADMIN)),
        ("StringLike", "a*", (ADA, ADMIN)),
        ("StringNotLike", ["a?a", "srv-*"], (ANONYMOUS, ADMIN)),
        ("StringEquals", "a*", ()),
    ],
)
def test_conditions_on_the_name(operator: str, value: object, met: tuple[Caller, ...]) -> None:
    conditional = document(rule(), rule("Deny", Condition={operator: {"aws:username": value}}))
    assert set(EVERYBODY) - set(who_may(conditional)) == set(met)


def test_userid_is_the_name_unless_the_engine_has_another() -> None:
    guard = document(rule(), rule("Deny", Condition={"StringNotLike": {"aws:userid": ["srv-1", "AROA:*"]}}))
    assert who_may(guard) == (SERVER,)
    elsewhere = Caller("srv-1", SERVER.arn, "session", "AROB:srv-1")
    assert not is_allowed(guard, elsewhere, "s3:GetObject", OBJECT)
    assert is_allowed(guard, Caller("x", SERVER.arn, "session", "AROA:x"), "s3:GetObject", OBJECT)


def test_a_prefix_condition_needs_the_very_prefix() -> None:
    listing = rule(Action="s3:ListBucket", Resource=BUCKET, Condition={"StringEquals": {"s3:prefix": "gen-4"}})
    tried = {
        prefix: is_allowed(document(listing), ADA, "s3:ListBucket", BUCKET, prefix=prefix)
        for prefix in (None, "", "gen-4", "gen-42", "gen-")
    }
    assert tried == {None: False, "": False, "gen-4": True, "gen-42": False, "gen-": False}


@pytest.mark.parametrize(
    "made",
    [
        rule(Foo="bar"),
        rule(NotAction="s3:*"),
        rule(NotPrincipal="*"),
        rule(Principal="arn:aws:iam::1:root"),
        rule(Principal={"Federated": "x"}),
        rule(Principal={"AWS": []}),
        rule(Action=[]),
        rule(Action=3),
        rule(Resource=""),
        rule("Perhaps"),
        rule(Condition={"ArnNotEquals": {"aws:PrincipalArn": "x"}}),
        rule(Condition={"StringEquals": {"aws:PrincipalArn": "x"}}),
        rule(Condition={"StringEquals": {"aws:username": []}}),
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*"},
    ],
)
def test_what_the_compiler_never_writes_is_refused_not_guessed(made: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a|neither"):
        is_allowed(document(made), ADA, "s3:GetObject", OBJECT)


@pytest.mark.parametrize(
    "whole", [{"Version": "2008-10-17", "Statement": []}, {"Version": "2012-10-17"}, {"Statement": []}]
)
def test_a_document_of_another_form_is_refused(whole: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="2012-10-17"):
        is_allowed(json.dumps(whole), ADA, "s3:GetObject", OBJECT)
