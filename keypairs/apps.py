from django.apps import AppConfig


class KeypairsConfig(AppConfig):
    name = "keypairs"
