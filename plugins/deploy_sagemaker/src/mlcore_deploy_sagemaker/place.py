"""What a deployment needs besides its model: bucket, role and image, from the config or found in the account."""

from __future__ import annotations

import os
import re

from attrs import frozen

from mlcore import __version__
from mlcore.errors import InvalidParameterError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.options import Options

IMAGE_VARIABLES = ("MLCORE_SAGEMAKER_IMAGE_URL", "MLFLOW_SAGEMAKER_DEPLOY_IMG_URL")
REPOSITORY = "mlcore-serving"
_ASSUMED = re.compile(r"^arn:(aws[a-z-]*):sts::(\d+):assumed-role/([^/]+)/")


@frozen
class Place:
    """Where a deployment lives.

    make_bucket: the bucket is the default one, made when it is missing.
    """

    bucket: str
    role: str
    image: str
    make_bucket: bool = False


def find_place(call: Caller, options: Options) -> Place:
    """Return the place for a new model. Raises InvalidParameterError: no role is given and none can be found."""
    image = options.image_url or next((os.environ[name] for name in IMAGE_VARIABLES if os.environ.get(name)), None)
    bucket, role = options.bucket, options.execution_role_arn
    if bucket and role and image:
        return Place(bucket, role, image)
    caller = call.read("sts", "get_caller_identity")
    account, region = str(caller["Account"]), call.clients.region
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Place(
        bucket or f"mlcore-sagemaker-{region}-{account}",
        role or _own_role(call, str(caller["Arn"])),
        image or f"{account}.dkr.ecr.{region}.{domain}/{REPOSITORY}:{__version__}",
        make_bucket=bucket is None,
    )


def _own_role(call: Caller, arn: str) -> str:
    found = _ASSUMED.match(arn)
    if found is None:
        raise InvalidParameterError(
            f"{call.subject}: no role for the endpoint: you work as {arn!r}, which is no role; give execution_role_arn"
        )
    return str(call.read("iam", "get_role", RoleName=found[3])["Role"]["Arn"])


def ensure_bucket(call: Caller, place: Place) -> None:
    """Make the default bucket when it is missing; a bucket that the user named has to be there."""
    if not place.make_bucket or call.find("s3", "head_bucket", Bucket=place.bucket) is not None:
        return
    region = call.clients.region
    # us-east-1 is the one region that must not be named
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    call.change("s3", "create_bucket", Bucket=place.bucket, **where)
