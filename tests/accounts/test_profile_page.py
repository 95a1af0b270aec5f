from django.test import Client

from accounts.models import Profile, User
from tests.factories import PASSWORD
from tests.html import body_of, text_of

NEW = "quite another word"


def test_profile_shows_what_is_known(web: Client, owner: User) -> None:
    Profile.objects.filter(user=owner).update(first_name="Ada", clone_naming="COUNTER")
    html = body_of(web.get("/profile/"))
    assert 'value="Ada"' in html
    assert '<option value="COUNTER" selected>' in html


def test_profile_is_saved(web: Client, owner: User) -> None:
    given = {"first_name": "Ada", "last_name": "", "company": "Engines", "clone_naming": "DATE"}
    response = web.post("/profile/", given, follow=True)
    assert "The profile was saved." in text_of(body_of(response))
    assert Profile.objects.filter(user=owner, company="Engines", clone_naming="DATE").exists()


def test_naming_that_does_not_exist_is_refused(web: Client, owner: User) -> None:
    html = body_of(web.post("/profile/", {"clone_naming": "ROT13"}))
    assert "Select a valid choice" in html
    assert owner.profile.clone_naming == "NONE"


def test_password_is_changed(web: Client, owner: User) -> None:
    given = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    response = web.post("/profile/password/", given, follow=True)
    assert "The password was changed." in text_of(body_of(response))
    owner.refresh_from_db()
    assert owner.check_password(NEW)


def test_password_is_not_changed_without_the_old_one(web: Client, owner: User) -> None:
    given = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}
    body_of(web.post("/profile/password/", given))
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
