"""The job's JSON, as CloudSigma documents it."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    NarrowedFields,
    ResourceUriField,
    WireDateTimeField,
    WordField,
    resource_uri,
)
from jobs.models import Job

JOB = {"$ref": "#/components/schemas/Job"}
PART_OF_JOB = {"$ref": "#/components/schemas/PartialJob"}


class ChildrenField(serializers.Field[Any, Any, Any, Any]):
    """The jobs below a job, each complete."""

    def to_representation(self, value: Job) -> list[dict[str, Any]]:
        parent = self.parent
        return [parent.to_representation(child) for child in value.sub_jobs]

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": {"anyOf": [JOB, PART_OF_JOB]}}


class JobDataField(serializers.JSONField):
    """`{"progress": 0…100}`; a failed job adds `error`, a sentence for its owner.

    One that is compared with its source says so as its `phase`.
    """

    def to_representation(self, value: Any) -> Any:
        data: dict[str, Any] = {"progress": value.progress}
        if value.error:
            data["error"] = value.error
        if value.is_verifying:
            data["phase"] = "verifying"
        return data

    def openapi(self, direction: str) -> dict[str, Any]:
        progress = {"type": "integer", "minimum": 0, "maximum": 100}
        phase = {"type": "string", "enum": ["verifying"]}
        properties = {"progress": progress, "error": {"type": "string"}, "phase": phase}
        return {"type": "object", "required": ["progress"], "properties": properties}


class ResourcesField(serializers.ListField):
    """The paths of the objects that still exist, source before destination."""

    def to_representation(self, data: Any) -> list[str]:
        return [resource_uri(one["kind"], one["uuid"]) for one in data if not one["is_gone"]]

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "format": "uri-reference"}}


class JobSerializer(NarrowedFields):
    """A job with all below it; expects jobs from `with_trees`."""

    children = ChildrenField(
        source="*", read_only=True, help_text="The jobs that this one consists of"
    )
    created = WireDateTimeField(read_only=True, help_text="When the job was submitted")
    data = JobDataField(  # type: ignore[assignment]  # the wire's name, DRF's property
        source="*", read_only=True, help_text="Progress in percent, and an error"
    )
    last_modified = WireDateTimeField(read_only=True, help_text="When the job last changed")
    operation = serializers.CharField(
        read_only=True, help_text="drive_clone, server_clone or snapshot_clone"
    )
    resource_uri = ResourceUriField("jobs", help_text="The path of this job")
    resources = ResourcesField(
        read_only=True, help_text="The objects that the job works on and still exist"
    )
    state = WordField(Job.State, help_text="started, success, failed or cancelled")
    uuid = serializers.UUIDField(read_only=True, help_text="UUID of the job")


class QueuePlaceSerializer(serializers.Serializer[Any]):
    """The place of a job that waits."""

    position = serializers.IntegerField(help_text="1 is the next")
    reason = serializers.CharField(help_text="Why it waits")


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why a job failed."""

    code = serializers.CharField(help_text="One word for programs")
    message = serializers.CharField(help_text="A sentence for the owner")
    hint = serializers.CharField(help_text="What can be done")


class JobRuntimeSerializer(serializers.Serializer[Any]):
    """What a job is doing now."""

    phase = serializers.CharField(
        help_text="waiting, copying, verifying, finishing, or how it ended"
    )
    bytes_done = serializers.IntegerField(help_text="Bytes moved so far")
    bytes_total = serializers.IntegerField(help_text="Bytes to move")
    rate = serializers.IntegerField(help_text="Bytes per second", allow_null=True)
    eta = serializers.IntegerField(help_text="Seconds that are left", allow_null=True)
    method = serializers.CharField(help_text="reflink, direct, copy_file_range or read_write")
    attempts = serializers.IntegerField(help_text="How often a worker took it")
    worker = serializers.CharField(help_text="cluster:pid of who has it now")
    queue = QueuePlaceSerializer(allow_null=True)
    started_at = WireDateTimeField(allow_null=True)
    finished_at = WireDateTimeField(allow_null=True)
    error = JobErrorSerializer(allow_null=True)
