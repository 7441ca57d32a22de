"""Deploys template.yaml in ministack, and does there what else only boto3 is needed for.

    deploy.py deploy    deploys stacks
    deploy.py fire      has the emulator's scheduler fire a deployed schedule, once and at its next tick
    deploy.py invoke    invokes a function and waits for its answer
    deploy.py logs      gives what the functions of a stack have logged
    deploy.py secret    keeps a secret

Each reads one JSON object from standard input, prints another, and finds the emulator in MINISTACK_ENDPOINT.

What is deployed is template.yaml, but for what follows. A test of it shows nothing of that.

Because this is not AWS:
* `CodeUri` names a zip in a bucket: the binary that the test built, of this machine's architecture.
* Variables are added to every function, or replace what a parameter gives: addresses of the simulated Microsoft, files that
  a layer would bring under /opt, a shorter pause.

Because a parameter has no default that is good for all: who signs in, and where people are.

Because of what the emulator lacks:
* The callbacks' API's OpenAPI `Body`, which it imports for REST APIs alone, becomes an integration and a route for each operation. SAM
  made that body from the functions' `Events`.
* It passes the value of a numeric parameter on as text, so the number stands where the parameter was named.
* It asks for `sqs:SendMessageBatch`, which AWS doesn't have: there `sqs:SendMessage` is the permission for batches too.
* Its `aws:PrincipalArn` is the ARN of the role's session; AWS puts the role's own there.
* It knows no alarm of several figures, so such an alarm watches the first of them there.
* It speaks plain http, so the topics' statements `OnlyOverTls` are left out.

Because a test asks for it: single permissions are taken out.

What the emulator takes but doesn't heed: throttling and access logs of the API, conditions on `dynamodb:LeadingKeys`, who may
invoke a function, the roles of schedules and event sources, encryption, limits of concurrency.
"""

import io
import json
import os
import platform
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION = "eu-west-1"
BUCKET = "binaries"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64"}[platform.machine()]

Json = dict[str, Any]

session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


def client(service: str) -> Any:
    # Nothing is tried twice: what the emulator refuses is to be seen.
    config = Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"})
    return session.client(service, endpoint_url=os.environ["MINISTACK_ENDPOINT"], config=config)


# ---- what the tests ask for ------------------------------------------------------------------------------------------------


def deploy(request: Json) -> Json:
    """{"binaries": {function: path}, "variables": {...}, "parameters": {...}, "stacks": {name: [what it lacks]}} -> {name: stack}

    What a stack lacks is [a resource of the template, the Sid of one of its statements, an action of that statement].
    """
    upload(request["binaries"])
    stacks = request["stacks"].items()
    return {name: create(name, adapted(lacking, request["variables"], request["parameters"])) for name, lacking in stacks}


def fire(request: Json) -> Json:
    """{"schedule": name}: a new schedule of the same target takes its place. It was due long ago, and comes once.

    The deployed one is put to rest, so that the two never tick at the same time.
    """
    scheduler = client("scheduler")
    deployed = scheduler.get_schedule(Name=request["schedule"])
    kept = {name: deployed[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, ScheduleExpression=deployed["ScheduleExpression"], State="DISABLED")
    kept["Name"] += "-once"
    scheduler.create_schedule(**kept, ScheduleExpression="at(2026-01-01T00:00:00)")
    return {}


def invoke(request: Json) -> Json:
    """{"function": name, "payload": ...} -> {"error": kind or null, "payload": ...}"""
    payload = json.dumps(request["payload"]).encode()
    answer = client("lambda").invoke(FunctionName=request["function"], Payload=payload)
    return {"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read())}


def logs(request: Json) -> Json:
    """{"stack": name} -> {log group: [line]}"""
    resources = client("cloudformation").describe_stack_resources(StackName=request["stack"])["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources if is_log_group(each)}
    reader = client("logs")
    events = {group: reader.filter_log_events(logGroupName=name)["events"] for group, name in names.items()}
    return {group: [event["message"] for event in each] for group, each in events.items()}


def is_log_group(resource: Json) -> bool:
    return resource["ResourceType"] == "AWS::Logs::LogGroup"


def secret(request: Json) -> Json:
    """{"name": name, "value": text}"""
    client("secretsmanager").create_secret(Name=request["name"], SecretString=request["value"])
    return {}


# ---- the template, changed -------------------------------------------------------------------------------------------------


def adapted(lacking: list[list[str]], variables: Json, parameters: Json) -> Json:
    """The template as CloudFormation takes it, with every change that the module's text lists."""
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    for name, value in parameters.items():
        template["Parameters"][name]["Default"] = value
    for resource, sid, action in lacking:
        take_out(template["Resources"][resource]["Properties"], sid, action)
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = {"Bucket": BUCKET, "Key": name}
            properties["Environment"]["Variables"] |= variables
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            properties |= first_figure(properties.pop("Metrics"))
        for document in documents(properties):
            document["Statement"] = [as_emulated(each) for each in document["Statement"] if each["Sid"] != "OnlyOverTls"]
    template = with_numbers(template, template["Parameters"])
    template["Parameters"]["Architecture"]["Default"] = ARCHITECTURE

    translated = Translator({}, Parser(), boto_session=session).translate(template, {"Architecture": ARCHITECTURE})
    apis = [name for name, resource in translated["Resources"].items() if resource["Type"] == "AWS::ApiGatewayV2::Api"]
    for api in (name for name in apis if "Body" in translated["Resources"][name]["Properties"]):
        translated["Resources"] |= spelled_out(api, translated["Resources"][api]["Properties"])
    return translated


def first_figure(metrics: list[Json]) -> Json:
    """What an alarm of this one figure has in place of them all."""
    figure = next(each["MetricStat"] for each in metrics if "MetricStat" in each)
    return figure["Metric"] | {"Period": figure["Period"], "Statistic": figure["Stat"]}


def documents(properties: Json) -> list[Json]:
    """The policies of a role, or that of a topic."""
    return [each["PolicyDocument"] for each in [*properties.get("Policies", []), properties] if "PolicyDocument" in each]


def take_out(properties: Json, sid: str, action: str) -> None:
    """Takes out an action, which has to be there, or what a test shows without it would be nothing."""
    [(document, statement)] = [
        (document, each) for document in documents(properties) for each in document["Statement"] if each["Sid"] == sid
    ]
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    actions.remove(action)
    statement["Action"] = actions
    if not actions:
        document["Statement"].remove(statement)


def as_emulated(statement: Json) -> Json:
    if statement["Action"] == "sqs:SendMessage":
        return statement | {"Action": ["sqs:SendMessage", "sqs:SendMessageBatch"]}
    condition = statement.get("Condition", {})
    if "ArnNotEquals" in condition:
        roles = condition["ArnNotEquals"]["aws:PrincipalArn"]
        sessions = [sessions_of(role) for role in (roles if isinstance(roles, list) else [roles])]
        others = {operator: keys for operator, keys in condition.items() if operator != "ArnNotEquals"}
        return statement | {"Condition": others | {"ArnNotLike": {"aws:PrincipalArn": sessions}}}
    return statement


def sessions_of(role: Json) -> Json:
    name = role["Fn::GetAtt"]
    name = name.split(".")[0] if isinstance(name, str) else name[0]
    return {"Fn::Sub": "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/${" + name + "}/*"}


def with_numbers(part: Any, parameters: Json) -> Any:
    """The same part of the template, with the default of a numeric parameter where its name was."""
    if isinstance(part, list):
        return [with_numbers(each, parameters) for each in part]
    if not isinstance(part, dict):
        return part
    parameter = parameters.get(part.get("Ref"), {})
    if parameter.get("Type") == "Number":
        return parameter["Default"]
    return {key: with_numbers(value, parameters) for key, value in part.items()}


def spelled_out(api: str, properties: Json) -> Json:
    """The resources that the `Body` of an HTTP API stands for, which it loses."""
    body = properties.pop("Body")
    del properties["FailOnWarnings"]  # Of the import.
    properties |= {"Name": body["info"]["title"], "ProtocolType": "HTTP"}
    resources = {}
    operations = [(path, *each) for path, methods in body["paths"].items() for each in methods.items()]
    for number, (path, method, operation) in enumerate(operations):
        integration = operation["x-amazon-apigateway-integration"]
        name = f"{api}Integration{number}"
        resources[name] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api},
                "IntegrationType": integration["type"].upper(),
                "IntegrationMethod": integration["httpMethod"],
                "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"],
            },
        }
        resources[f"{api}Route{number}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": api},
                "RouteKey": f"{method.upper()} {path}",
                "Target": {"Fn::Sub": f"integrations/${{{name}}}"},
            },
        }
    return resources


# ---- into the emulator -----------------------------------------------------------------------------------------------------


def upload(binaries: Json) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for function, path in binaries.items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(path, "bootstrap")
        s3.put_object(Bucket=BUCKET, Key=function, Body=packed.getvalue())


def create(name: str, template: Json) -> Json:
    # From a bucket, as SAM does it: a template that comes with the request has 51,200 bytes at most.
    client("s3").put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps(template).encode())
    url = f"{os.environ['MINISTACK_ENDPOINT']}/{BUCKET}/{name}.json"
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=name, TemplateURL=url, Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING"
    )
    try:
        patience = {"Delay": 1, "MaxAttempts": 60}
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=patience)
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed]
        sys.exit("\n".join([f"stack {name} was not created: {error}", *reasons]))
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {
        "name": name,
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        "resources": {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
    }


if __name__ == "__main__":
    commands = {"deploy": deploy, "fire": fire, "invoke": invoke, "logs": logs, "secret": secret}
    json.dump(commands[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
