"""Holds the deployer's permissions in docs/deploy.md to what AWS says that CloudFormation needs for the template's resources.

AWS publishes, with the schema of each resource type, the permissions that its handlers use; cfn-lint brings those schemas. Whatever
they ask for has to be in the table of docs/deploy.md, or in UNUSED with the reason why this template never needs it. Deployer
permissions of other kinds (CloudFormation itself, the bucket of SAM) are in no schema and not checked.
"""

import re
import sys
from pathlib import Path

import boto3
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[1]
REGION = "us-east-1"

# Patterns of actions, by what they are for. None of it is in the template.
UNUSED = {
    "functions in a VPC, or with file systems": r"ec2:.*|elasticfilesystem:.*|s3files:.*",
    "signed code, capacity providers, pinned runtimes, recursion settings, versions": (
        r"lambda:(AssociateRuntimeAlias|DeleteFunctionCodeSigningConfig|GetCodeSigningConfig|PassCapacityProvider|PublishVersion"
        r"|Put(FunctionCodeSigningConfig|FunctionRecursionConfig|FunctionScalingConfig|RuntimeManagementConfig))"
    ),
    "keys of one's own": r"kms:(Decrypt|Encrypt|GenerateDataKey|ListAliases|RevokeGrant)|logs:(Associate|Disassociate)KmsKey",
    "replicas, imports, Kinesis, contributor insights, resource policies of tables": (
        r"dynamodb:(AssociateTableReplica|BatchWriteItem|CreateTableReplica|DeleteItem|DeleteResourcePolicy|DescribeImport"
        r"|(Disable|Enable|Update)KinesisStreamingDestination|GetItem|ImportTable|PutItem|PutResourcePolicy|Query|Scan"
        r"|UpdateContributorInsights|UpdateItem)|kinesis:.*|iam:CreateServiceLinkedRole"
        r"|logs:(CreateLogStream|DescribeLogStreams|PutLogEvents)|s3:(GetObjectMetadata|GetObjectVersion)"
    ),
    "managed policies, boundaries, descriptions of roles": (
        r"iam:(AttachRolePolicy|(Delete|Put)RolePermissionsBoundary|UpdateRole|UpdateRoleDescription)"
    ),
    "protection, indexes and other targets of log groups": (
        r"logs:(Delete(DataProtectionPolicy|IndexPolicy|ResourcePolicy)|Put(BearerTokenAuthentication|DataProtectionPolicy"
        r"|IndexPolicy|LogGroupDeletionProtection))|firehose:.*|s3:REST.PUT.OBJECT"
    ),
    "data protection and subscriptions in the template": r"sns:(PutDataProtectionPolicy|Subscribe|Unsubscribe)",
    "an API's definition in a bucket": r"s3:getObject",
    "buckets with more than encryption, an owner, an end of objects and a wall around them": (
        r"s3:(Create|Delete|Update)BucketMetadata\w+|s3:DeleteBucket(AnalyticsConfiguration|Cors|Encryption|Lifecycle|MetricsConfiguration"
        r"|Replication|Website)|s3:Put(Accelerate|Analytics|IntelligentTiering|Inventory|Metrics|ObjectLock|Replication)Configuration"
        r"|s3:PutBucket(Abac|Acl|CORS|Logging|Notification|ObjectLockConfiguration|Replication|Website)|s3:PutObjectAcl|s3tables:.*"
    ),
}


def needed() -> set[str]:
    """What the handlers of the translated template's resource types use."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": name}
    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name=REGION)
    translated = Translator({}, Parser(), boto_session=session).translate(template, {})
    actions: set[str] = set()
    for kind in {resource["Type"] for resource in translated["Resources"].values()}:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"]
        for operation in ("create", "read", "update", "delete"):
            actions |= set(handlers.get(operation, {}).get("permissions", []))
    return actions


def documented() -> set[str]:
    """The actions of the table, row by row: the service in the first column, its actions in the second."""
    table = (ROOT / "docs/deploy.md").read_text(encoding="utf-8").split("| service |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, flags=re.MULTILINE)
    return {f"{service}:{action}" for service, text in rows for action in re.findall(r"`([A-Z]\w+)`", text)}


def main() -> None:
    asked, told = needed(), documented()
    unused = {action for action in asked for pattern in UNUSED.values() if re.fullmatch(pattern, action)}
    missing = sorted(asked - unused - told)
    idle = [reason for reason, pattern in UNUSED.items() if not any(re.fullmatch(pattern, action) for action in asked)]
    if len(asked) < 100 or missing or idle:
        sys.exit(f"asked for: {len(asked)}\nnot in docs/deploy.md: {missing}\nreasons that explain nothing: {idle}")


if __name__ == "__main__":
    main()
