"""Login, and the pages on which a person changes what is theirs."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from accounts.forms import LoginForm, ProfileForm
from accounts.models import Profile
from cloudjobs.pages.acting import posted


class LoginView(auth.LoginView):
    """Who is logged in already goes on to the overview."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordView(SuccessMessageMixin, auth.PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = "The password was changed."


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show the profile, and save what was changed."""
    user: Any = request.user
    mine = Profile.objects.get(user=user)
    form = ProfileForm(posted(request), instance=mine)
    if form.is_valid():
        form.save()
        messages.success(request, "The profile was saved.")
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form})
