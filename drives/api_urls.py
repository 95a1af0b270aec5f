from django.urls import path, re_path

from cloudjobs.api.parsers import UnreadParser
from cloudjobs.api.renderers import OwnFormNegotiation
from cloudjobs.api.viewsets import UUID_PATTERN
from drives.api import DriveViewSet
from drives.uploads.api import ChunkView, InitUploadViewSet

# Beside what the router makes: uploads, whose bodies are streamed.
uploads = DriveViewSet.as_view(
    {"post": "upload"},
    parser_classes=[UnreadParser],
    content_negotiation_class=OwnFormNegotiation,
)

urlpatterns = [
    path("initupload/", InitUploadViewSet.as_view({"post": "create"}), name="initupload"),
    re_path(rf"^drives/(?P<uuid>{UUID_PATTERN})/upload/$", ChunkView.as_view(), name="drive-chunk"),
    path("drives/upload/", uploads, name="drive-upload"),
    path("drives/upload/<path:name>/", uploads, name="drive-upload-named"),
]
