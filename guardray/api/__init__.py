"""GuardDuty's API: what clients send is read, checked, answered and written by the service model that they use."""
