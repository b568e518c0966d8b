# What GuardRay reads logs with, and nothing else.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = var.reader_service == "ec2.amazonaws.com" ? ["sts:AssumeRole"] : ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = [var.reader_service]
    }
  }
}

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "ReadLogs"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${aws_s3_bucket.logs.arn}/AWSLogs/*"]
  }
  statement {
    sid       = "ListLogs"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.logs.arn]
  }
  statement {
    sid = "ReadTheQueue"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:GetQueueAttributes",
    ]
    resources = [aws_sqs_queue.logs.arn]
  }
}

data "aws_iam_policy_document" "state" {
  count = var.state_bucket == null ? 0 : 1
  statement {
    sid       = "ReadAndWriteCheckpoints"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/guardray/*"]
  }
  statement {
    sid       = "ListCheckpoints"
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
  }
}

resource "aws_iam_role" "reader" {
  name_prefix        = "guardray-reader-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "reader" {
  name   = "read-logs"
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.reader.json
}

resource "aws_iam_role_policy" "state" {
  count  = var.state_bucket == null ? 0 : 1
  name   = "keep-state"
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.state[0].json
}

resource "aws_iam_instance_profile" "reader" {
  count       = var.reader_service == "ec2.amazonaws.com" ? 1 : 0
  name_prefix = "guardray-reader-"
  role        = aws_iam_role.reader.name
}
