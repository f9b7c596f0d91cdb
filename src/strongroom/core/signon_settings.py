"""The settings of single sign-on: which identity providers there are, what they say, and how far they are believed."""

from dataclasses import dataclass
from pathlib import Path

from strongroom.core import setting_values as values
from strongroom.core.errors import Invalid
from strongroom.core.sentences import Sentence, say
from strongroom.core.setting_values import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnSettings:
    """What the operator decided about identity providers; part of `core.settings.Settings`."""

    # Single sign-on with OpenID Connect
    oidc_issuer: str = setting(
        "",
        "URL",
        "Issuer of an OpenID Connect provider, exactly as its discovery document names it; empty: none.",
        values.issuer,
    )
    oidc_client_id: str = setting("", "text", "What Strongroom is called at that provider.", values.text)
    oidc_client_secret: str = setting(
        "",
        "text",
        "Its secret there; empty for a public client, which PKCE alone protects.",
        values.text,
        is_secret=True,
    )
    oidc_client_secret_file: Path | None = setting("", "file", "File that holds that secret instead.", values.file)
    oidc_name: str = setting("single sign-on", "text", "What the button says: “Continue with …”.", values.text)
    oidc_scopes: str = setting("openid email profile", "words", "Scopes that are asked for.", values.text)
    oidc_groups_claim: str = setting("groups", "word", "Claim that lists a person's groups.", values.text)
    oidc_email_domains: tuple[str, ...] = setting(
        "",
        "names, comma between",
        "Domains of e-mail addresses for which this provider is believed: somebody already known by such an address is "
        "linked at their first sign-in with it, when the provider says that the address is verified. Empty: nobody.",
        values.hosts,
    )
    oidc_mfa_acr: tuple[str, ...] = setting(
        "",
        "texts, comma between",
        "Values of `acr` that count as a second factor; they are asked for, too. Empty: none does.",
        values.listed,
    )
    oidc_mfa_amr: tuple[str, ...] = setting(
        "", "texts, comma between", "Values of `amr`, such as `mfa`, that count as a second factor.", values.listed
    )

    # Single sign-on with SAML
    saml_metadata: str = setting(
        "", "file or URL", "Metadata of a SAML 2.0 identity provider; empty: none.", values.metadata
    )
    saml_name: str = setting("single sign-on", "text", "What the button says: “Continue with …”.", values.text)
    saml_email_attribute: str = setting("mail", "text", "Attribute with the e-mail address.", values.text)
    saml_name_attribute: str = setting("displayName", "text", "Attribute with the name.", values.text)
    saml_groups_attribute: str = setting("groups", "text", "Attribute that lists a person's groups.", values.text)
    saml_subject_attribute: str = setting(
        "", "text", "Attribute that names a person for ever; empty: the NameID, unless it is transient.", values.text
    )
    saml_email_domains: tuple[str, ...] = setting(
        "",
        "names, comma between",
        "Domains of e-mail addresses for which this provider is believed: SAML does not say whether an address is "
        "verified, so only people with such an address are linked or become known. Empty: nobody.",
        values.hosts,
    )
    saml_mfa_contexts: tuple[str, ...] = setting(
        "",
        "texts, comma between",
        "Authentication contexts, such as `https://refeds.org/profile/mfa`, that count as a second factor.",
        values.listed,
    )

    # Single sign-on with anything
    sso_new_people: str = setting(
        "mapped",
        "word",
        "Who becomes known by signing in: `mapped`: whoever is in a group that is mapped to a role. `all`: whoever the "
        "provider lets in. `none`: nobody; people are created first.",
        values.one_of("mapped", "all", "none"),
    )

    sso_group_days: int = setting(
        "30",
        "days",
        "How long what groups gave lasts without a new sign-in through the provider, which alone says who is still in "
        "them; 0: for ever.",
        values.whole(0, 3660),
    )

    def refuse_half_a_provider(self) -> None:
        """Raises: Invalid where settings that belong together are not all there, or contradict each other."""
        told = {
            "STRONGROOM_OIDC_CLIENT_ID": self.oidc_client_id,
            "STRONGROOM_OIDC_CLIENT_SECRET": self.oidc_client_secret,
            "STRONGROOM_OIDC_CLIENT_SECRET_FILE": self.oidc_client_secret_file,
        }
        if self.oidc_issuer and not self.oidc_client_id:
            raise _half("STRONGROOM_OIDC_CLIENT_ID", say("STRONGROOM_OIDC_ISSUER is set, and this is not"))
        if not self.oidc_issuer and any(told.values()):
            variable = next(name for name, value in told.items() if value)
            raise _half("STRONGROOM_OIDC_ISSUER", say("{variable} is set, and this is not", variable=variable))
        if self.oidc_client_secret and self.oidc_client_secret_file:
            raise _half(
                "STRONGROOM_OIDC_CLIENT_SECRET_FILE", say("the secret itself is set as well; keep one of the two")
            )
        if "openid" not in self.oidc_scopes.split():
            raise _half("STRONGROOM_OIDC_SCOPES", say("without the scope openid nobody is told who signed in"))


def _half(variable: str, what: Sentence) -> Invalid:
    return Invalid(say("{variable}: {what}.", variable=variable, what=what), fields={variable: what})
