"""How the API is put together; a part of `cloudjobs/settings.py`. Nothing here is for operators."""

from cloudjobs.protection import NUM_PROXIES

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "cloudjobs.api.authentication.RememberedBasicAuthentication",
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["cloudjobs.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "cloudjobs.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "cloudjobs.api.renderers.LenientNegotiation",
    "DEFAULT_PAGINATION_CLASS": "cloudjobs.api.pagination.MetaPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "cloudjobs.api.filters.NamedParameterFilter",
        "cloudjobs.api.filters.StableOrdering",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "cloudjobs.api.throttling.RequestThrottle",
        "cloudjobs.api.throttling.DeleteThrottle",
    ],
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "cloudjobs.api.openapi.schema.WireSchema",
    "EXCEPTION_HANDLER": "cloudjobs.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "cloudjobs",
    "VERSION": "2.0",
    "SERVERS": [{"url": "/", "description": "The service that this document comes from"}],
    "SCHEMA_PATH_PREFIX": "/api/2.0/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "GET_MOCK_REQUEST": "cloudjobs.openapi.request_for",
    "POSTPROCESSING_HOOKS": ["cloudjobs.openapi.complete"],
}
