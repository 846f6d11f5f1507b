"""What a target URI says: the region, and a role to take on."""

from __future__ import annotations

import re

from attrs import frozen

from mlcore.errors import InvalidParameterError

_TARGET = re.compile(
    r"^sagemaker(?::/*(?P<region>[a-z0-9-]+)?(?:/(?P<role>arn:aws[a-z-]*:iam::\d{12}:role/[^\s]+))?/?)?$"
)


@frozen
class Target:
    """A region of SageMaker.

    region: such as `eu-west-1`; None takes that of the AWS profile or environment.
    role: the ARN of a role to take on for every call, None to work as the caller.
    """

    region: str | None = None
    role: str | None = None

    @classmethod
    def parse(cls, uri: str) -> Target:
        """Read `sagemaker`, `sagemaker:/REGION` or `sagemaker:/REGION/ROLE_ARN`."""
        found = _TARGET.match(uri)
        if found is None:
            raise InvalidParameterError(
                f"{uri!r} is no SageMaker target: expected 'sagemaker', 'sagemaker:/eu-west-1' or "
                "'sagemaker:/eu-west-1/arn:aws:iam::123456789012:role/deployer'"
            )
        return cls(found["region"], found["role"])
