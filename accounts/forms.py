"""The forms of the login and profile pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from accounts.models import Profile


class LoginForm(AuthenticationForm):
    """Email and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username"}
        )


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
