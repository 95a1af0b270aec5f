"""The forms of the login and profile pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled

from accounts.models import Profile
from cloudjobs.api.throttling import count_failed_login, require_patience

LIFETIMES = {"": "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}


@contextmanager
def patience(email: str, request: HttpRequest | None) -> Iterator[None]:
    """Have a password looked at, unless too many were wrong; note if this one is.

    Raises:
        ValidationError: the one or the other.
    """
    try:
        require_patience(email, request)
        yield
    except Throttled as error:
        raise forms.ValidationError(str(error.detail)) from error
    except forms.ValidationError:
        count_failed_login(email, request)
        raise


class PatientLogin(AuthenticationForm):
    """Looks at no more passwords after too many that were wrong."""

    def clean(self) -> dict[str, Any]:
        with patience(self.cleaned_data.get("username", ""), self.request):
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class AdminLoginForm(PatientLogin, AdminAuthenticationForm):
    """The same for the admin, which lets only its own people in."""


class LoginForm(PatientLogin):
    """Email and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username"}
        )


class PasswordForm(PasswordChangeForm):
    """A new password for who knows the old one; who only found a session cannot guess it."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        with patience(self.user.email, self.request):
            return str(super().clean_old_password())


class ProfileForm(forms.ModelForm):
    """What a person changes of themselves."""

    class Meta:
        model = Profile
        fields = ("first_name", "last_name", "company", "clone_naming")
        labels = {"clone_naming": "Names of clones"}
        help_texts = {"clone_naming": "How a clone is called that is not given a name."}
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "company": forms.TextInput(attrs={"autocomplete": "organization"}),
        }


class TokenForm(forms.Form):
    """What a new API token is called, and how long it lasts."""

    name = forms.CharField(max_length=100, help_text="What it is for, e.g. the program.")
    lifetime = forms.ChoiceField(label="Expires", choices=list(LIFETIMES.items()), required=False)

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None
