"""The user, who logs in with an email, and the profile that the API shows of them."""

import uuid
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    """Makes and finds users by their emails."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an email.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who owns drives, servers and jobs. Emails are kept in lower case."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return an email in lower case; forms do so before they look whether it is taken."""
        return super().normalize_username(username).lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user; a new one gets a profile in the same transaction."""
        self.email = self.email.lower()
        with transaction.atomic():
            is_new = self._state.adding
            super().save(*args, **kwargs)
            if is_new:
                Profile.objects.create(user=self)


def amount_field() -> models.DecimalField:
    return models.DecimalField(max_digits=32, decimal_places=16, default=Decimal(0))


def text_field(default: str = "") -> models.CharField:
    return models.CharField(max_length=255, blank=True, default=default)


class Profile(models.Model):
    """What `/profile/` shows. cloudjobs acts on `clone_naming`; the rest is kept and given back."""

    class CloneNaming(models.TextChoices):
        """How a clone is called that is not given a name."""

        NONE = "NONE", "the source's name"
        COUNTER = "COUNTER", "a counter behind the name"
        DATE = "DATE", "the date behind the name"
        TIMESTAMP = "TIMESTAMP", "date and time behind the name"

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    clone_naming = models.CharField(
        max_length=9, choices=CloneNaming.choices, default=CloneNaming.NONE
    )
    state = models.CharField(max_length=16, default="REGULAR", editable=False)

    address = text_field()
    api_https_only = models.BooleanField(default=False)
    autotopup_amount = amount_field()
    autotopup_threshold = amount_field()
    bank_reference = text_field()
    company = text_field()
    country = text_field()
    currency = text_field("USD")
    first_name = text_field()
    has_autotopup = models.BooleanField(default=False)
    has_tx_autotopup = models.BooleanField(default=False)
    invoicing = models.BooleanField(default=True)
    key_auth = models.BooleanField(default=False)
    language = text_field("EN")
    last_name = text_field()
    mailing_list = models.BooleanField(default=True)
    meta = models.JSONField(default=dict, blank=True)
    my_notes = models.TextField(blank=True, default="")
    network_restrictions = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    nickname = text_field()
    phone = text_field()
    postcode = text_field()
    reseller = text_field()
    tax_name = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    tax_rate = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    title = text_field()
    town = text_field()
    tx_autotopup_amount = amount_field()
    tx_autotopup_threshold = amount_field()
    vat = text_field()

    def __str__(self) -> str:
        return f"profile of {self.user_id}"


class ApiToken(models.Model):
    """What a program logs in with. The token is known to its user only; here is its digest."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField("last used at", null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering: ClassVar[list[str]] = ["created_at", "uuid"]

    def __str__(self) -> str:
        return self.name
