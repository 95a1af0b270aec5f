"""What requests say of chunks."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import WholeNumberField
from drives.serializers import LARGEST_SIZE


class ChunkRequest(serializers.Serializer[Any]):
    """A chunk as `do=upload_chunk` asks for its link: counted from 0."""

    chunk_number = WholeNumberField(min_value=0, max_value=LARGEST_SIZE)
    chunk_size = WholeNumberField(min_value=1, max_value=LARGEST_SIZE)


class ResumableRequest(serializers.Serializer[Any]):
    """A chunk as resumable.js and its relatives name it: counted from 1."""

    resumableChunkNumber = WholeNumberField(min_value=1, max_value=LARGEST_SIZE)
    resumableChunkSize = WholeNumberField(min_value=1, max_value=LARGEST_SIZE)
    resumableTotalSize = WholeNumberField(min_value=1, max_value=LARGEST_SIZE)
    resumableCurrentChunkSize = WholeNumberField(
        min_value=1, max_value=LARGEST_SIZE, required=False
    )
