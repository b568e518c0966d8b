"""CloudTrail: management events and S3 data events, in every wrapping that AWS and its users put them."""

from guardray.sources.cloudtrail.decoder import CloudTrailBatch, CloudTrailDecoder
from guardray.sources.cloudtrail.framing import Framing

__all__ = ["CloudTrailBatch", "CloudTrailDecoder", "Framing"]
