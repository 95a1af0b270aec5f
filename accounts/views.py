"""Login, and the pages on which a person changes what is theirs."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.contrib.messages.views import SuccessMessageMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import LoginForm, PasswordForm, ProfileForm, TokenForm
from accounts.models import Profile
from accounts.tokens import create_token, revoke_token
from cloudjobs.pages.acting import attempt_form, posted


class LoginView(auth.LoginView):
    """Who is logged in already goes on to the overview."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordView(SuccessMessageMixin, auth.PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = "The password was changed."
    form_class = PasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show the profile, and save what was changed."""
    user: Any = request.user
    mine = Profile.objects.get(user=user)
    form = ProfileForm(posted(request), instance=mine)
    if form.is_valid():
        form.instance.save(update_fields=form.changed_data)
        messages.success(request, "The profile was saved.")
        return redirect("accounts:profile")
    context = {"form": form, "tokens": user.api_tokens.all()}
    return render(request, "accounts/profile.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    """Make an API token, and show it: in this answer and never again."""
    user: Any = request.user
    form, made = TokenForm(posted(request)), None
    if form.is_valid():
        name, expires_at = form.cleaned_data["name"], form.expires_at()
        made = attempt_form(form, lambda: create_token(user, name, expires_at))
    token, text = made or (None, "")
    context = {"form": form, "token": token, "text": text}
    return render(request, "accounts/token_create.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Revoke an API token; requests with it are refused from now on."""
    user: Any = request.user
    if not revoke_token(uuid, user):
        raise Http404
    messages.success(request, "The token was revoked.")
    return redirect("accounts:profile")
