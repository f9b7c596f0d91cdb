"""What the metadata service tells about this machine besides credentials. None of it is signed or a secret."""

from __future__ import annotations

import json
import platform
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from strongroom.agent.imds import ROLE
from strongroom.agent.state import Identity

# Clients cut a region out of the zone's name by dropping its last letter.
_ZONE_LETTER = "a"
_NO_ACCOUNT = "000000000000"


def tree(who: Identity, region: str, address: str) -> Mapping[str, str]:
    """The text at each path below `latest`.

    Source: Amazon EC2 User Guide, "Instance metadata categories" and "Instance identity documents".
    """
    instance = f"i-{who.server_id.replace('-', '')[:17]}"
    zone = region + _ZONE_LETTER
    hostname = socket.gethostname()
    profile = {
        "Code": "Success",
        "InstanceProfileArn": f"arn:aws:iam::{_NO_ACCOUNT}:instance-profile/{ROLE}",
        "InstanceProfileId": who.server_id,
    }
    document = {
        "accountId": _NO_ACCOUNT,
        "architecture": platform.machine(),
        "availabilityZone": zone,
        "instanceId": instance,
        "instanceType": ROLE,
        "pendingTime": who.joined_at,
        "privateIp": address,
        "region": region,
        "version": "2017-09-30",
    }
    return {
        "/meta-data/hostname": hostname,
        "/meta-data/local-hostname": hostname,
        "/meta-data/instance-id": instance,
        "/meta-data/instance-type": ROLE,
        "/meta-data/local-ipv4": address,
        "/meta-data/iam/info": json.dumps(profile, indent=2),
        "/meta-data/placement/region": region,
        "/meta-data/placement/availability-zone": zone,
        "/dynamic/instance-identity/document": json.dumps(document, indent=2),
    }


def own_address(url: str) -> str:
    """The address this machine is seen with by the control plane, loopback where that is all there is."""
    host = urlsplit(url).hostname
    if not host:
        return "127.0.0.1"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
