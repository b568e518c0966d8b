"""One file a finding type, or a small family, in folders by GuardDuty resource. Defining is registering."""
