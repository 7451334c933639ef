"""Makes boto3 and botocore build real requests; prints them.

Why: a service's data is a description that nothing imports: a file too many removed shows
when a client is made, a waiter named, an answer parsed.
How: work_boto.py SERVICE..., with the layer on PYTHONPATH; among s3, dynamodb, sts, sqs
and lambda. A server of this process answers at endpoint_url: the request's method, path and
body and the parsed answer are printed. The clock is fixed for what is signed. No
configuration of the machine is read, and nothing leaves it.
"""

import datetime
import http.server
import os
import sys
import threading

for name in list(os.environ):
    if name.startswith(("AWS_", "BOTO_")) or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                  AWS_EC2_METADATA_DISABLED="true", AWS_DEFAULT_REGION="eu-central-1")

import boto3  # noqa: E402  (after the environment)
import botocore.config  # noqa: E402
import botocore.exceptions  # noqa: E402
import botocore.session  # noqa: E402
from checks import check  # noqa: E402

# service: (operation, arguments, HTTP status, type, answer)
CALLS = {
    "s3": [("list_objects_v2", {"Bucket": "b", "Prefix": "p/"}, 200, "application/xml",
            "<ListBucketResult><Name>b</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
            "<Contents><Key>p/a</Key><Size>3</Size></Contents></ListBucketResult>"),
           ("put_object", {"Bucket": "b", "Key": "k", "Body": b"abc"}, 200, "application/xml", ""),
           ("get_object", {"Bucket": "b", "Key": "none"}, 404, "application/xml",
            "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>")],
    "dynamodb": [("get_item", {"TableName": "t", "Key": {"id": {"S": "1"}}}, 200, "application/x-amz-json-1.0",
                  '{"Item": {"id": {"S": "1"}, "n": {"N": "5"}}}'),
                 ("delete_table", {"TableName": "t"}, 400, "application/x-amz-json-1.0",
                  '{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}')],
    "sts": [("get_caller_identity", {}, 200, "text/xml",
             "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
             "</GetCallerIdentityResult></GetCallerIdentityResponse>")],
    "sqs": [("send_message", {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q", "MessageBody": "m"}, 200,
             "application/x-amz-json-1.0", '{"MessageId": "1"}')],
    "lambda": [("get_function_configuration", {"FunctionName": "f"}, 200, "application/json",
                '{"FunctionName": "f", "MemorySize": 128}')],
}


class Stub(http.server.BaseHTTPRequestHandler):
    """Keeps what is asked; answers what `answer` says."""

    asked = []
    answer = (200, "application/xml", "")

    def do_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self.asked.append("%s %s %s %r" % (self.command, self.path, self.headers.get("X-Amz-Target"), body))
        status, kind, text = self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any

    def log_message(self, *_):
        pass


def client_for(session, service, url=None):
    config = botocore.config.Config(retries={"max_attempts": 0, "mode": "legacy"}, s3={"addressing_style": "path"},
                                    request_checksum_calculation="when_required", defaults_mode="standard")
    return session.client(service, endpoint_url=url, config=config, aws_access_key_id="AKIDEXAMPLE",
                          aws_secret_access_key="secret")


def without_metadata(answer):
    answer.pop("ResponseMetadata", None)
    return {key: value for key, value in sorted(answer.items()) if key != "Body"}


def call(client, operation, arguments):
    try:
        return str(without_metadata(getattr(client, operation)(**arguments)))
    except client.exceptions.ClientError as error:
        return "%s: %s" % (type(error).__name__, error)


def requests(session, service, url):
    client = client_for(session, service, url)
    for operation, arguments, *answer in CALLS[service]:
        Stub.answer, Stub.asked[:] = tuple(answer), []
        check("%s %s" % (service, operation), call(client, operation, arguments))
        check("%s %s asks" % (service, operation), Stub.asked[:1])


def descriptions(session, service):
    client = client_for(session, service)
    check(service + " endpoint", client.meta.endpoint_url)
    check(service + " operations", len(client.meta.method_to_api_mapping))
    check(service + " waiters", client.waiter_names)
    pages = [name for name in sorted(client.meta.method_to_api_mapping) if client.can_paginate(name)]
    check(service + " paginators", pages)
    for name in pages:
        client.get_paginator(name)
    for name in client.waiter_names:
        client.get_waiter(name)
    check(service + " regions", len(session.get_available_regions(service)))
    check(service + " docstring", len(str(getattr(client, CALLS[service][0][0]).__doc__)) > 100, True)
    if service in session.get_available_resources():
        check(service + " resource", type(session.resource(service)).__name__)


def s3_only(session):
    """What is signed without a request, and a resource's collection through s3transfer."""
    clock = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    import botocore.auth
    import botocore.compat

    for module in (botocore.auth, botocore.compat):
        if hasattr(module, "get_current_datetime"):
            module.get_current_datetime = lambda remove_tzinfo=True: (
                clock.replace(tzinfo=None) if remove_tzinfo else clock)
    client = client_for(session, "s3")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=60)
    check("s3 presigned url", url)
    post = client.generate_presigned_post("b", "k")
    check("s3 presigned post", sorted(post["fields"]))
    import s3transfer.manager

    check("s3transfer", s3transfer.manager.TransferConfig().multipart_threshold, 8388608)


def refused(session, service):
    """A service whose data is not there must say so, and nothing else."""
    try:
        client_for(session, service)
        return "works"
    except botocore.exceptions.UnknownServiceError:
        return "unknown"


def main():
    services = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    session = boto3.session.Session()
    url = "http://127.0.0.1:%d" % server.server_address[1]
    check("partitions", session.get_available_partitions())
    for service in services:
        descriptions(session, service)
        requests(session, service, url)
    if "s3" in services:
        s3_only(session)
    for service in sorted(set(CALLS) - set(services)):
        print("# %s: %s" % (service, refused(session, service)))
    server.shutdown()


main()
