"""The paths of this area: signing in, the account, invitations and second factors."""

from django.urls import URLPattern, URLResolver, path

from strongroom.console.people import account, devices, entering, factors, passkeys, signon, terms

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", entering.sign_in),
    path("sign-in/code", entering.second_step),
    path("sign-in/ask", passkeys.ask_to_sign_in),
    path("sign-in/passkey", passkeys.sign_in),
    path("sign-in/code/ask", passkeys.ask_for_second_step),
    path("sign-in/code/passkey", passkeys.second_step),
    path("sign-in/<slug:kind>", signon.leave),
    path("sign-in/oidc/answer", signon.answer),
    path("sign-in/saml/answer", signon.posted_answer),
    path("sign-in/saml/metadata", signon.metadata),
    path("sign-out", entering.sign_out),
    path("invitations/", entering.invitations),
    path("invitations/<str:code>", entering.invitation),
    path("step-up", factors.step_up),
    path("step-up/ask", passkeys.ask_to_step_up),
    path("step-up/passkey", passkeys.step_up),
    path("step-up/<slug:kind>", signon.leave_to_prove),
    path("account/", account.show),
    path("account/password", account.change_password),
    path("account/sessions/<uuid:session_id>/end", account.end_session),
    path("account/tokens", account.create_token),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token),
    path("account/device", devices.show),
    path("account/device/<uuid:device_id>/approve", devices.approve),
    path("account/device/<uuid:device_id>/deny", devices.deny),
    path("account/terms", terms.show),
    path("account/passkeys", passkeys.add),
    path("account/passkeys/ask", passkeys.ask_to_add),
    path("account/passkeys/<uuid:passkey_id>/remove", passkeys.remove),
    path("account/mfa", factors.show),
    path("account/mfa/enrol", factors.enrol),
    path("account/mfa/confirm", factors.confirm),
    path("account/mfa/remove", factors.remove),
]
