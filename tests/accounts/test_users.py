import pytest
from django.db import IntegrityError, transaction

from accounts.models import Profile, User

pytestmark = pytest.mark.django_db


def test_new_user_has_a_profile() -> None:
    user = User.objects.create_user("a@example.com", "a right password")
    assert user.profile.clone_naming == Profile.CloneNaming.NONE
    assert user.check_password("a right password")


def test_saving_again_makes_no_second_profile() -> None:
    user = User.objects.create_user("a@example.com")
    user.save()
    assert Profile.objects.filter(user=user).count() == 1


def test_superuser_may_use_the_admin() -> None:
    user = User.objects.create_superuser("a@example.com", "a right password")
    assert user.is_staff
    assert user.is_superuser


def test_email_is_kept_in_lower_case() -> None:
    user = User.objects.create_user("Some.One@Example.COM")
    assert User.objects.get(pk=user.pk).email == "some.one@example.com"
    assert User.objects.get_by_natural_key("SOME.ONE@example.com") == user


def test_email_belongs_to_one_user() -> None:
    User.objects.create_user("a@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("A@example.com")
    assert Profile.objects.count() == 1


def test_user_needs_an_email() -> None:
    with pytest.raises(ValueError, match="email"):
        User.objects.create_user("")
