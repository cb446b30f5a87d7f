"""The texts of what api/auth refuses, for the translators."""

from __future__ import annotations


def _(text: str) -> str:
    """Marks a text for translation where it is told."""
    return text


TEXTS = (
    _("too many wrong passwords; try again in {seconds} s"),
    _("too many attempts; try again in {seconds} s"),
    _("too many searches within a minute; try again in {seconds} s"),
    _("too many exports within a minute; try again in {seconds} s"),
    _("the name or password is wrong, or the account is locked for some minutes or disabled"),
    _("give the code of your authenticator app, too, as `code`"),
    _("this one-time password is too old; ask an administrator for a new one"),
    _("this code is wrong or was used before; wait for the next one"),
    _("this is not the code of now; check that the clock of your phone is right"),
    _("this took too long; begin again"),
    _("you have a second factor; take it away before you set up another"),
    _("the second factor cannot be checked: the site has another key than then"),
    _("the provider of identities does not answer as it should; try again, or sign in with a password"),
    _("this sign-in was not begun in this browser, or took too long; begin again"),
    _("the provider of identities did not let you in"),
    _("what the provider of identities sent is not to be trusted; begin again"),
    _("your account has no right to use this program; ask an administrator"),
    _("there is no account for you here; ask an administrator"),
    _("an account of another has your name; ask an administrator"),
    _("your name at the provider is no name here: small letters, digits, and . _ -"),
    _("your account here is disabled"),
    _("the old password is wrong"),
    _("the password is wrong"),
    _("the new password is the old one"),
    _("you had this password before; take another"),
    _("the two new passwords differ"),
    _("a password has {shortest} to {longest} characters"),
    _("a password has at least 5 different characters"),
    _("a password does not contain the user's name"),
    _("this password is among those that are guessed first; take a few words that do not belong together"),
    _("you see the groups {groups}; give the key some of these"),
    _("the audit trail is the whole city's: it needs an administrator's key without groups"),
)
"""All that api/auth refuses on pages; the texts stand there where they are told, and here for the translators."""
