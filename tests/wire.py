"""What the API answers, as the tests expect it; and how they read faults and queries."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from drives.models import Drive, LibraryEntry, Snapshot
from jobs.models import Job
from keypairs.models import KeyPair
from keypairs.sealing import unseal
from servers.models import Mount, Nic, Server
from tags.models import Tag

API = "/api/2.0"


def faults_of(response: Any) -> list[tuple[str, str | None]]:
    """Return type and point of each entry of an error list, having checked the list's form."""
    entries = response.json()
    assert isinstance(entries, list)
    for entry in entries:
        assert set(entry) == {"error_type", "error_message", "error_point"}
        assert isinstance(entry["error_message"], str)
        assert entry["error_message"]
    return [(entry["error_type"], entry["error_point"]) for entry in entries]


def queries_of(request: Callable[[], Any]) -> list[str]:
    """Return the SQL that a request, which is answered with 200, runs."""
    with CaptureQueriesContext(connection) as captured:
        response = request()
        assert response.status_code == 200
        response.getvalue()
    return [query["sql"] for query in captured]


def assert_as_many(few: list[str], many: list[str]) -> None:
    """Fail with the SQL of both unless they are as many."""
    shown = "\n".join(["", *few, "--- against ---", *many])
    assert len(few) == len(many), shown


def time_json(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def related_json(resource: str, uuid: Any) -> dict[str, str]:
    return {"resource_uri": f"/api/2.0/{resource}/{uuid}/", "uuid": str(uuid)}


def drive_json(drive: Drive, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a drive without jobs that can be read; `differing` keys replace these."""
    return {
        "affinities": drive.affinities,
        "allow_multimount": drive.allow_multimount,
        "backup_scheduler": None,
        "grantees": [],
        "iops": None,
        "jobs": [],
        "licenses": [],
        "media": drive.media,
        "meta": drive.meta,
        "mounted_on": [],
        "name": drive.name,
        "owner": related_json("user", drive.owner_id) if drive.owner_id else None,
        "permissions": [],
        "remote_snapshots": [],
        "resource_uri": f"/api/2.0/drives/{drive.pk}/",
        "runtime": runtime_json(drive.storage_type),
        "size": drive.size,
        "snapshots": [],
        "status": drive.status,
        "storage_type": drive.storage_type,
        "tags": [],
        "uuid": str(drive.pk),
        **differing,
    }


def runtime_json(
    storage_type: str, *, downloadable: bool = True, snapshotable: bool | None = True
) -> dict[str, Any]:
    return {
        "is_downloadable": downloadable,
        "is_ephemeral": False,
        "is_snapshotable": snapshotable,
        "snapshots_allocated_size": 0,
        "storage_type": storage_type,
    }


def library_json(entry: LibraryEntry, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a drive of the library; `differing` keys replace these."""
    drive = entry.drive
    return {
        "affinities": [],
        "allow_multimount": False,
        "arch": entry.arch,
        "category": entry.category,
        "description": entry.description,
        "distribution": entry.distribution or None,
        "favourite": False,
        "image_type": entry.image_type,
        "install_notes": entry.install_notes,
        "jobs": [],
        "licenses": [],
        "media": drive.media,
        "meta": {},
        "mounted_on": [],
        "name": drive.name,
        "os": entry.os,
        "owner": None,
        "paid": entry.paid,
        "resource_uri": f"/api/2.0/libdrives/{drive.pk}/",
        "size": drive.size,
        "status": "unmounted",
        "storage_type": None,
        "tags": [],
        "url": entry.url,
        "uuid": str(drive.pk),
        "version": entry.version or None,
        **differing,
    }


def snapshot_json(snapshot: Snapshot, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a snapshot; `differing` keys replace these."""
    return {
        "allocated_size": snapshot.allocated_size,
        "drive": related_json("drives", snapshot.drive_id),
        "grantees": [],
        "meta": snapshot.meta,
        "name": snapshot.name,
        "owner": related_json("user", snapshot.owner_id),
        "permissions": [],
        "resource_uri": f"/api/2.0/snapshots/{snapshot.pk}/",
        "status": snapshot.status,
        "tags": [],
        "timestamp": time_json(snapshot.created_at),
        "uuid": str(snapshot.pk),
        **differing,
    }


def job_json(job: Job, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a job that waits and works on nothing; `differing` keys replace these."""
    return {
        "children": [],
        "created": time_json(job.created),
        "data": {"progress": 0},
        "last_modified": time_json(job.last_modified),
        "operation": job.operation,
        "resource_uri": f"/api/2.0/jobs/{job.pk}/",
        "resources": [],
        "state": job.state,
        "uuid": str(job.pk),
        **differing,
    }


def server_json(server: Server, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a stopped server without jobs; `differing` keys replace these."""
    return {
        "context": True,
        "cpu": server.cpu,
        "cpu_model": None,
        "cpu_type": "amd",
        "cpus_instead_of_cores": False,
        "drives": [mount_json(mount) for mount in server.mounts.all()],
        "enable_numa": False,
        "grantees": [],
        "hv_relaxed": False,
        "hv_tsc": False,
        "hypervisor": "kvm",
        "jobs": [],
        "mem": server.mem,
        "meta": server.meta,
        "name": server.name,
        "nics": [nic_json(nic) for nic in server.nics.all()],
        "owner": related_json("user", server.owner_id),
        "permissions": [],
        "pubkeys": [],
        "requirements": [],
        "resource_uri": f"/api/2.0/servers/{server.pk}/",
        "runtime": None,
        "smp": server.smp,
        "status": "stopped",
        "tags": [],
        "uuid": str(server.pk),
        "vnc_password": server.vnc_password,
        **differing,
    }


def mount_json(mount: Mount) -> dict[str, Any]:
    """Return the JSON of a drive of a stopped server."""
    return {
        "boot_order": mount.boot_order,
        "dev_channel": mount.dev_channel,
        "device": mount.device,
        "drive": related_json("drives", mount.drive_id),
        "runtime": None,
    }


def tag_json(tag: Tag, *resources: Drive | Server | Snapshot, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a tag that these have; `differing` keys replace these."""
    owner = related_json("user", tag.owner_id)
    kinds = [f"{each._meta.model_name}s" for each in resources]
    return {
        "meta": tag.meta,
        "name": tag.name,
        "owner": owner,
        "resource_uri": f"/api/2.0/tags/{tag.pk}/",
        "resources": [
            {"owner": owner, "res_type": kind, **related_json(kind, each.pk)}
            for kind, each in zip(kinds, resources, strict=True)
        ],
        "uuid": str(tag.pk),
        **differing,
    }


def keypair_json(pair: KeyPair, **differing: Any) -> dict[str, Any]:
    """Return the JSON of a key pair; `differing` keys replace these."""
    return {
        "fingerprint": pair.fingerprint,
        "grantees": [],
        "meta": pair.meta,
        "name": pair.name,
        "permissions": [],
        "private_key": unseal(pair.sealed_private_key) if pair.sealed_private_key else None,
        "public_key": pair.public_key,
        "resource_uri": f"/api/2.0/keypairs/{pair.pk}/",
        "tags": [],
        "uuid": str(pair.pk),
        **differing,
    }


def pubkey_json(pair: KeyPair) -> dict[str, Any]:
    """Return the JSON of the public half of a key pair."""
    shown = keypair_json(
        pair,
        has_private_key=bool(pair.sealed_private_key),
        resource_uri=f"/api/2.0/pubkeys/{pair.pk}/",
    )
    del shown["private_key"]
    return shown


def nic_json(nic: Nic) -> dict[str, Any]:
    """Return the JSON of a public network card of a stopped server."""
    return {
        "boot_order": nic.boot_order,
        "ip_v4_conf": {"conf": nic.conf, "ip": related_json("ips", nic.ip) if nic.ip else None},
        "ip_v6_conf": None,
        "mac": nic.mac,
        "model": nic.model,
        "runtime": None,
        "vlan": None,
    }


def flat_schema(fields: dict[str, Any], before: str = "") -> dict[str, dict[str, Any]]:
    """Return the fields of a schema with those inside them, as `nics.ip_v4_conf.conf`."""
    flat = {}
    for name, field in fields.items():
        flat[before + name] = field
        flat |= flat_schema(field.get("fields", {}), f"{before}{name}.")
    return flat
