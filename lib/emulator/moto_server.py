"""moto's server, with the CloudFormation types added that other resources refer to and moto does not know.

A type that is left out resolves to nothing where another resource names it, and the deploy fails there: an IAM policy
about a secret, for example, has no resource. Secrets themselves moto does have; only CloudFormation cannot make them.
"""

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.rds.models import DBParameterGroup
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main
from moto.ssm.models import ssm_backends


class Secret(CloudFormationModel):
    __module__ = "moto.secretsmanager.extras"  # moto reads the service from the second part

    def __init__(self, arn: str) -> None:
        self.arn = arn

    @property
    def physical_resource_id(self) -> str:
        return self.arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "Secret":
        properties = cloudformation_json["Properties"]
        backend = secretsmanager_backends[account_id][region_name]
        generate = properties.get("GenerateSecretString")
        value = properties.get("SecretString")
        if generate is not None:
            password = backend.get_random_password(
                password_length=int(generate.get("PasswordLength", 32)),
                exclude_characters=generate.get("ExcludeCharacters", ""),
                exclude_numbers=False,
                exclude_punctuation=bool(generate.get("ExcludePunctuation", False)),
                exclude_uppercase=False,
                exclude_lowercase=False,
                include_space=False,
                require_each_included_type=True,
            )
            value = json.loads(password)["RandomPassword"]
            if "GenerateStringKey" in generate:
                template = json.loads(generate.get("SecretStringTemplate", "{}"))
                value = json.dumps({**template, generate["GenerateStringKey"]: value})
        created = backend.create_secret(
            name=resource_name,
            secret_string=value,
            secret_binary=None,
            description=properties.get("Description"),
            tags=[],
            kms_key_id=properties.get("KmsKeyId"),
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return cls(json.loads(created)["ARN"] if isinstance(created, str) else created[0].arn)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        secretsmanager_backends[account_id][region_name].delete_secret(resource_name, None, True)


class SecretTargetAttachment(CloudFormationModel):
    """Known by the secret's own ARN. The real one also writes host and port into the secret."""

    __module__ = "moto.secretsmanager.extras"

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::SecretTargetAttachment"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "SecretTargetAttachment":
        return cls(cloudformation_json["Properties"]["SecretId"])


def launch_from_template() -> None:
    """moto's `AWS::EC2::Instance` wants an ImageId of its own: take it from the launch template, as EC2 does."""
    create = Instance.create_from_cloudformation_json.__func__

    def create_from_template(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):  # type: ignore
        properties = cloudformation_json["Properties"]
        wanted = properties.get("LaunchTemplate")
        if wanted and "ImageId" not in properties:
            backend = ec2_backends[account_id][region_name]
            [template] = backend.describe_launch_templates(template_ids=[wanted["LaunchTemplateId"]])
            image = template.get_version(int(wanted["Version"])).data["ImageId"]
            if image.startswith("resolve:ssm:"):
                image = ssm_backends[account_id][region_name].get_parameter(image.removeprefix("resolve:ssm:")).value
            properties["ImageId"] = image
        return create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)

    Instance.create_from_cloudformation_json = classmethod(create_from_template)


def name_parameter_group() -> None:
    """Without a physical id moto passes the group itself where another resource names it."""
    DBParameterGroup.physical_resource_id = property(lambda group: group.resource_id)


launch_from_template()
name_parameter_group()
main()
