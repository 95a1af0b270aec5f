from django.urls import path

from cloudjobs.api.parsers import UnreadParser
from cloudjobs.api.renderers import OwnFormNegotiation
from drives.api import DriveViewSet

# Beside what the router makes: the list's DELETE, the actions, and uploads with a name.
uploads = DriveViewSet.as_view(
    {"post": "upload"},
    parser_classes=[UnreadParser],
    content_negotiation_class=OwnFormNegotiation,
)

urlpatterns = [
    path("drives/upload/", uploads, name="drive-upload"),
    path("drives/upload/<path:name>/", uploads, name="drive-upload-named"),
]
