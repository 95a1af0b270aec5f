"""The OpenAPI document: made of the views, of their serializers, and of their `exchanges`."""
