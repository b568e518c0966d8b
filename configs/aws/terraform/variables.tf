variable "organization_id" {
  description = "Of the organisation whose accounts are all logged; null for this account alone."
  type        = string
  default     = null
}

variable "s3_data_events" {
  description = "Whether reads and writes of objects are logged. CloudTrail charges for each."
  type        = bool
  default     = true
}

variable "vpc_ids" {
  description = "VPCs of this account and Region to log."
  type        = set(string)
  default     = []
}

variable "kept_days" {
  description = "How long logs stay in the bucket."
  type        = number
  default     = 90
}

variable "state_bucket" {
  description = "A bucket that checkpoints are kept in, below guardray/; null where they stay on a disk."
  type        = string
  default     = null
}

variable "reader_service" {
  description = "Who takes the role: ec2.amazonaws.com, or pods.eks.amazonaws.com for EKS Pod Identity."
  type        = string
  default     = "ec2.amazonaws.com"
}
