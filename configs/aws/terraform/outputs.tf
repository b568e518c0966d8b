output "source" {
  description = "For --source, or sources of guardray.yaml."
  value       = aws_sqs_queue.logs.url
}

output "bucket_arn" {
  description = "For the networks of other accounts and Regions."
  value       = aws_s3_bucket.logs.arn
}

output "role_arn" {
  description = "What GuardRay reads logs with."
  value       = aws_iam_role.reader.arn
}

output "instance_profile_arn" {
  description = "For instances, and for cluster.yaml."
  value       = one(aws_iam_instance_profile.reader[*].arn)
}

output "dead_letters" {
  description = "Look here for messages that could not be read."
  value       = aws_sqs_queue.dead_letters.url
}
