"""What requests say of chunks."""

from typing import Any

from rest_framework import serializers

from drives.serializers import LARGEST_SIZE


class ChunkRequest(serializers.Serializer[Any]):
    """A chunk as `do=upload_chunk` asks for its link: counted from 0."""

    chunk_number = serializers.IntegerField(min_value=0, max_value=LARGEST_SIZE)
    chunk_size = serializers.IntegerField(min_value=1, max_value=LARGEST_SIZE)


class ResumableRequest(serializers.Serializer[Any]):
    """A chunk as resumable.js and its relatives name it: counted from 1."""

    resumableChunkNumber = serializers.IntegerField(min_value=1, max_value=LARGEST_SIZE)
    resumableChunkSize = serializers.IntegerField(min_value=1, max_value=LARGEST_SIZE)
    resumableTotalSize = serializers.IntegerField(min_value=1, max_value=LARGEST_SIZE)
    resumableCurrentChunkSize = serializers.IntegerField(
        min_value=1, max_value=LARGEST_SIZE, required=False
    )
