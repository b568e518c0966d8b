# Flow logs and Resolver query logs of VPCs of this account and Region. Those of other accounts and Regions: a
# configuration of their own, with the bucket's ARN from the outputs of this one.

resource "aws_flow_log" "vpc" {
  for_each                 = var.vpc_ids
  vpc_id                   = each.value
  traffic_type             = "ALL"
  max_aggregation_interval = 60
  log_destination_type     = "s3"
  log_destination          = aws_s3_bucket.logs.arn
  depends_on               = [aws_s3_bucket_policy.logs]

  destination_options {
    file_format                = "parquet"
    hive_compatible_partitions = false
    per_hour_partition         = false
  }

  # All that detectors ask for: who the instance is, which end is ours, and the ends behind a gateway.
  log_format = join(" ", [for field in local.flow_fields : "$${${field}}"])
}

locals {
  flow_fields = [
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status", "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr",
    "pkt-dstaddr", "region", "az-id", "pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path",
  ]
}

resource "aws_route53_resolver_query_log_config" "this" {
  count           = length(var.vpc_ids) > 0 ? 1 : 0
  name            = "guardray"
  destination_arn = aws_s3_bucket.logs.arn
  depends_on      = [aws_s3_bucket_policy.logs]
}

resource "aws_route53_resolver_query_log_config_association" "vpc" {
  for_each                     = var.vpc_ids
  resolver_query_log_config_id = aws_route53_resolver_query_log_config.this[0].id
  resource_id                  = each.value
}
