"""Other people's clients of GuardDuty against a real service. On demand (`make clients`): they are installed first."""
