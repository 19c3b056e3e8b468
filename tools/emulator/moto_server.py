"""moto server with additional CloudFormation types that other resources refer to.

moto skips unsupported types, so a reference to such a resource resolves to nothing and the deploy fails: an IAM policy for
a secret, for example, has no resource. moto supports secrets, but its CloudFormation cannot create them.
"""

import inspect
import json
from typing import Any, Callable

from moto.autoscaling.models import FakeAutoScalingGroup, FakeScheduledAction, autoscaling_backends
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroupIngress
from moto.elasticache.models import elasticache_backends
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup
from moto.rds.models import DBParameterGroup, rds_backends
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
    """Its physical id is the secret's ARN. Real CloudFormation also writes host and port into the secret."""

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


class ReplicationGroup(CloudFormationModel):
    """A cache with its nodes. Users and subnet groups, and references to them, are not supported."""

    __module__ = "moto.elasticache.extras"

    def __init__(self, group: Any) -> None:
        self.group = group
        self.physical_resource_id = group.replication_group_id

    @staticmethod
    def cloudformation_name_type() -> str:
        return "ReplicationGroupId"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ElastiCache::ReplicationGroup"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("PrimaryEndPoint.Address", "PrimaryEndPoint.Port")

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        endpoint = self.group.node_groups[0]["primary_endpoint"]
        return endpoint["address"] if attribute_name.endswith("Address") else endpoint["port"]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "ReplicationGroup":
        properties = cloudformation_json["Properties"]
        create = elasticache_backends[account_id][region_name].create_replication_group
        names = list(inspect.signature(create).parameters)
        arguments = {name: properties.get("".join(part.capitalize() for part in name.split("_"))) for name in names}
        arguments |= {
            "replication_group_id": resource_name.lower()[:40],
            # moto derives the node count of a group without shards from its replicas only.
            "replicas_per_node_group": int(properties["NumCacheClusters"]) - 1,
            "port": int(properties["Port"]),
            "multi_az_enabled": properties.get("MultiAZEnabled"),
            "security_group_ids": properties.get("SecurityGroupIds", []),
            "tags": properties.get("Tags", []),
        }
        return cls(create(**arguments))


class DatabaseProxy(CloudFormationModel):
    """The proxy without its target group, which moto's CloudFormation does not support."""

    __module__ = "moto.rds.extras"

    def __init__(self, proxy: Any) -> None:
        self.proxy = proxy
        self.physical_resource_id = proxy.db_proxy_name

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::RDS::DBProxy"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Endpoint"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.proxy.endpoint

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "DatabaseProxy":
        given = cloudformation_json["Properties"]
        return cls(
            rds_backends[account_id][region_name].create_db_proxy(
                db_proxy_name=given["DBProxyName"],
                engine_family=given["EngineFamily"],
                auth=given["Auth"],
                role_arn=given["RoleArn"],
                vpc_subnet_ids=given["VpcSubnetIds"],
                vpc_security_group_ids=given["VpcSecurityGroupIds"],
                require_tls=given["RequireTLS"],
                idle_client_timeout=given["IdleClientTimeout"],
                debug_logging=None,
                tags=[],
            )
        )


class ScalingPolicy(CloudFormationModel):
    """moto's Auto Scaling supports policies, but its CloudFormation cannot create them."""

    __module__ = "moto.autoscaling.extras"

    def __init__(self, policy: Any) -> None:
        self.physical_resource_id = policy.arn

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::AutoScaling::ScalingPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "ScalingPolicy":
        given = cloudformation_json["Properties"]
        return cls(
            autoscaling_backends[account_id][region_name].put_scaling_policy(
                name=resource_name,
                policy_type=given["PolicyType"],
                metric_aggregation_type=given.get("MetricAggregationType"),
                adjustment_type=given.get("AdjustmentType"),
                as_name=given["AutoScalingGroupName"],
                min_adjustment_magnitude=given.get("MinAdjustmentMagnitude"),
                scaling_adjustment=given.get("ScalingAdjustment"),
                cooldown=given.get("Cooldown"),
                target_tracking_config=given.get("TargetTrackingConfiguration", {}),
                step_adjustments=given.get("StepAdjustments", []),
                estimated_instance_warmup=given.get("EstimatedInstanceWarmup"),
                predictive_scaling_configuration=given.get("PredictiveScalingConfiguration", {}),
            )
        )


class StandIn(CloudFormationModel):
    """A placeholder to refer to, for a type that moto's services do not support."""

    __module__ = "moto.cloudfront.extras"
    attributes: dict[str, str] = {}

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "StandIn":
        return cls(resource_name)


class VpcOrigin(StandIn):
    __module__ = "moto.cloudfront.extras"
    attributes = {"Id": "vo_example"}

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudFront::VpcOrigin"


class Distribution(StandIn):
    __module__ = "moto.cloudfront.extras"
    attributes = {"DomainName": "d1example.cloudfront.net"}

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudFront::Distribution"


def launch_from_template() -> None:
    """Takes the ImageId from the launch template, as EC2 does. moto's `AWS::EC2::Instance` requires it as a property."""
    create = Instance.create_from_cloudformation_json.__func__

    def create_from_template(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):  # type: ignore
        properties = cloudformation_json["Properties"]
        launch_template = properties.get("LaunchTemplate")
        if launch_template and "ImageId" not in properties:
            backend = ec2_backends[account_id][region_name]
            [template] = backend.describe_launch_templates(template_ids=[launch_template["LaunchTemplateId"]])
            image = template.get_version(int(launch_template["Version"])).data["ImageId"]
            if image.startswith("resolve:ssm:"):
                image = ssm_backends[account_id][region_name].get_parameter(image.removeprefix("resolve:ssm:")).value
            properties["ImageId"] = image
        return create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)

    Instance.create_from_cloudformation_json = classmethod(create_from_template)


def name_parameter_group() -> None:
    """Adds a physical id. Without one, moto resolves a reference to the Python object."""
    DBParameterGroup.physical_resource_id = property(lambda group: group.resource_id)


def add_full_names() -> None:
    """Adds LoadBalancerFullName and TargetGroupFullName, which CloudWatch metrics use as dimensions."""
    get_balancer_attribute = FakeLoadBalancer.get_cfn_attribute

    def of_balancer(balancer: FakeLoadBalancer, attribute_name: str) -> Any:
        if attribute_name == "LoadBalancerFullName":
            return balancer.arn.split(":loadbalancer/")[1]
        return get_balancer_attribute(balancer, attribute_name)

    def of_target_group(group: FakeTargetGroup, attribute_name: str) -> str:
        if attribute_name == "TargetGroupFullName":
            return group.arn.split(":")[-1]
        raise UnformattedGetAttTemplateException()

    FakeLoadBalancer.get_cfn_attribute = of_balancer
    FakeTargetGroup.has_cfn_attr = classmethod(lambda cls, attr: attr == "TargetGroupFullName")
    FakeTargetGroup.get_cfn_attribute = of_target_group


def support_prefix_lists() -> None:
    """Supports prefix lists as source. moto's ingress rule supports only CIDR ranges and security groups."""
    create = SecurityGroupIngress.create_from_cloudformation_json.__func__

    def create_rule(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):  # type: ignore
        given = cloudformation_json["Properties"]
        if "SourcePrefixListId" not in given:
            return create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        backend = ec2_backends[account_id][region_name]
        [group] = backend.describe_security_groups(group_ids=[given["GroupId"]])
        backend.authorize_security_group_ingress(
            group_name_or_id=group.id,
            ip_protocol=given["IpProtocol"],
            from_port=given["FromPort"],
            to_port=given["ToPort"],
            ip_ranges=[],
            prefix_list_ids=[{"PrefixListId": given["SourcePrefixListId"]}],
        )
        return cls(group, given)

    SecurityGroupIngress.create_from_cloudformation_json = classmethod(create_rule)


def pass_on(model: Any, rest: Callable[[Any, dict[str, Any]], None]) -> None:
    """Applies properties after creation that moto's services support but its CloudFormation drops."""
    create = model.create_from_cloudformation_json.__func__

    def create_and_pass_on(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):  # type: ignore
        created = create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        rest(created, cloudformation_json["Properties"])
        return created

    model.create_from_cloudformation_json = classmethod(create_and_pass_on)


def to_balancer(balancer: FakeLoadBalancer, given: dict[str, Any]) -> None:
    # Without this, moto treats a Network Load Balancer as an Application Load Balancer and rejects TCP listeners.
    balancer.type = given.get("Type", "application")
    balancer.attrs.update({one["Key"]: one["Value"] for one in given.get("LoadBalancerAttributes", [])})


def to_target_group(group: FakeTargetGroup, given: dict[str, Any]) -> None:
    group.attributes.update({one["Key"]: one["Value"] for one in given.get("TargetGroupAttributes", [])})


def to_auto_scaling_group(group: FakeAutoScalingGroup, given: dict[str, Any]) -> None:
    group.capacity_rebalance = given.get("CapacityRebalance", False)
    for hook in given.get("LifecycleHookSpecificationList", []):
        group.autoscaling_backend.create_lifecycle_hook(
            name=hook["LifecycleHookName"],
            as_name=group.name,
            transition=hook["LifecycleTransition"],
            timeout=hook.get("HeartbeatTimeout"),
            result=hook.get("DefaultResult"),
        )


def name_scheduled_action() -> None:
    """Adds the physical id, which moto leaves empty."""
    FakeScheduledAction.physical_resource_id = property(lambda action: action.scheduled_action_name)


pass_on(FakeLoadBalancer, to_balancer)
pass_on(FakeTargetGroup, to_target_group)
pass_on(FakeAutoScalingGroup, to_auto_scaling_group)
name_scheduled_action()
launch_from_template()
support_prefix_lists()
name_parameter_group()
add_full_names()
main()
