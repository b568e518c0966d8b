"""CloudTrail: events, the everyday calls of people and services, and the files they are delivered in."""
