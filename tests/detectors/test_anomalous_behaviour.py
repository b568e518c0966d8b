"""Unusual callers: what they call, from where and with what, against what is known of them and of the account."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.detectors.behaviour import HISTORY_DAYS, KNOWN_ANYHOW_DAYS
from guardray.detectors.declare import on_earlier_days
from guardray.detectors.iam import anomalous_behavior as iam
from guardray.detectors.s3 import anomalous_behavior as s3
from guardray.detectors.tactics import FIRST_WORDS, NAMED, tactic
from guardray.findings.wire.findings import from_json, to_json
from guardray.testing import START, findings_from, frame_of

IAM = {detector.finding_type.partition(":")[0]: detector for detector in iam.DETECTORS}
S3 = {detector.finding_type: detector for detector in s3.DETECTORS}

STOLEN = {"src_endpoint_ip": iam.HOTEL, "http_request_user_agent": iam.TOOL}
CREATE_USER = iam.WORK | {"api_service_name": "iam.amazonaws.com", "api_operation": "CreateUser"}
CREATE_KEY = CREATE_USER | {"api_operation": "CreateAccessKey"}


def found(detector, *rows, places=iam.PLACES):
    return findings_from(detector, frame_of(detector.schema, rows), places=places)


class TestTactics:
    """Which tactic an operation serves."""

    @pytest.mark.parametrize(
        ("service", "operation", "expected"),
        [
            ("secretsmanager", "GetSecretValue", "CredentialAccess"),
            ("secretsmanager", "DescribeSecret", "Discovery"),
            ("cloudtrail", "StopLogging", "DefenseEvasion"),
            ("guardduty", "DeleteDetector", "DefenseEvasion"),
            ("ec2", "StopInstances", "Impact"),
            ("ec2", "DeleteSecurityGroup", "Impact"),
            ("ec2", "ModifyInstanceAttribute", "Persistence"),
            ("ec2", "ModifySnapshotAttribute", "Exfiltration"),
            ("iam", "PutUserPolicy", "PrivilegeEscalation"),
            ("iam", "UpdateUser", "Impact"),
            ("s3", "PutBucketPolicy", "Impact"),
            ("s3", "PutBucketReplication", "Exfiltration"),
            ("ssm", "StartSession", "InitialAccess"),
            ("ecr", "GetAuthorizationToken", "InitialAccess"),
            ("lambda", "ListFunctions20150331", "Discovery"),
            ("lambda", "AddPermission20150331v2", "Persistence"),
            ("lambda", "Invoke", None),
            ("example", "Listen", None),
            ("example", "GetawayCar", None),
        ],
    )
    def test_an_operation_serves_the_tactic_that_the_table_says(self, service, operation, expected):
        frame = pl.DataFrame({"api_service_name": [f"{service}.amazonaws.com"], "api_operation": [operation]})
        assert frame.select(tactic()).item() == expected

    def test_what_is_unknown_serves_no_tactic(self):
        nothing = pl.DataFrame({"api_service_name": [None], "api_operation": [None]}, schema_overrides=_TEXTS)
        assert nothing.select(tactic()).item() is None

    def test_no_operation_is_named_for_two_tactics(self):
        named = [(service, one) for services in NAMED.values() for service, ones in services.items() for one in ones]
        assert len(named) == len(set(named))

    def test_no_first_word_serves_two_tactics(self):
        words = [word for ones in FIRST_WORDS.values() for word in ones]
        assert len(words) == len(set(words))


_TEXTS = {"api_service_name": pl.String, "api_operation": pl.String}


class TestManagement:
    """The types of IAM users."""

    def test_the_finding_names_the_most_unusual_call_and_the_others_with_their_outcome(self):
        denied = CREATE_KEY | STOLEN | {"api_response_error": "AccessDenied"}
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, CREATE_USER | STOLEN, denied)
        assert finding.action.api == "CreateAccessKey"  # new and denied
        anomalies = finding.additional_info["anomalies"]["anomalousAPIs"]
        assert anomalies == "iam.amazonaws.com:[CreateAccessKey:AccessDenied , CreateUser:success]"

    def test_what_is_unusual_stands_beside_what_is_usual(self):
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, CREATE_USER | STOLEN)
        unusual, usual = (finding.additional_info[name] for name in ("unusualBehavior", "profiledBehavior"))
        assert unusual["unusualASNsUserIdentityProfiling"] == "64510"
        assert usual["frequentProfiledASNsUserIdentityProfiling"] == "64500"
        assert unusual["unusualAPIsAccountProfiling"] == "iam:CreateUser"
        assert usual["frequentProfiledAPIsUserIdentityProfiling"] == "ec2:DescribeInstances"
        assert unusual["isUnusualUserIdentity"] == "false"
        assert "AS 64510 was seen in the account on none of 8 earlier days (usual: 64500 on 8)" in finding.description

    def test_values_are_graded_by_the_days_that_they_were_seen_on(self):
        """Of 40 days, 2 make one and a half a month and 1 three quarters; once a week is frequent."""
        rare, seldom = iam.WORK | {"api_operation": "A"}, iam.WORK | {"api_operation": "B"}
        earlier = [*on_earlier_days(40, iam.WORK), *on_earlier_days(1, rare), *on_earlier_days(2, seldom)]
        (finding,) = found(IAM["Persistence"], *earlier, CREATE_USER | STOLEN)
        usual = finding.additional_info["profiledBehavior"]
        assert usual["frequentProfiledAPIsUserIdentityProfiling"] == "ec2:DescribeInstances"
        assert usual["infrequentProfiledAPIsUserIdentityProfiling"] == "ec2:B"
        assert usual["rareProfiledAPIsUserIdentityProfiling"] == "ec2:A"

    def test_ends_of_an_attacker_are_told_of_from_the_usual_place_with_the_usual_program(self):
        calls = [
            iam.WORK | {"api_service_name": f"{of}.amazonaws.com", "api_operation": one}
            for of, one in (
                ("secretsmanager", "GetSecretValue"),
                ("cloudtrail", "StopLogging"),
                ("iam", "CreateAccessKey"),
                ("iam", "AttachUserPolicy"),
                ("ec2", "ModifySnapshotAttribute"),
            )
        ]
        many = on_earlier_days(40, iam.WORK, iam.COLLEAGUE)
        assert found(IAM["DefenseEvasion"], *many, *calls)
        assert not found(IAM["DefenseEvasion"], *many, *calls[1:3])

    def test_the_finding_survives_its_json(self):
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, CREATE_USER | STOLEN)
        document = json.loads(json.dumps(to_json(finding)))
        assert from_json(document).additional_info == finding.additional_info
        assert json.loads(document["service"]["additionalInfo"]["value"])["anomalies"]

    def test_one_day_of_a_principal_is_one_finding_and_each_principal_has_its_own(self):
        mallory = CREATE_USER | STOLEN | {"actor_user_uid_alt": "AIDAMALLORY"}
        findings = found(IAM["Persistence"], *iam.HISTORY, CREATE_USER | STOLEN, CREATE_KEY | STOLEN, mallory)
        assert sorted(one.resource.access_key.principal_id for one in findings) == ["AIDAALICE", "AIDAMALLORY"]
        assert {one.count for one in findings} == {1}

    def test_a_new_principal_is_told_to_be_new(self):
        mallory = CREATE_USER | STOLEN | {"actor_user_uid_alt": "AIDAMALLORY"}
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, mallory)
        assert finding.additional_info["unusualBehavior"]["isUnusualUserIdentity"] == "true"
        assert "The principal itself is new." in finding.description

    @pytest.mark.parametrize("days", [0, 1, HISTORY_DAYS - 1])
    def test_nothing_is_said_before_a_week_is_known(self, days):
        assert not found(IAM["Persistence"], *on_earlier_days(days, iam.WORK), CREATE_USER | STOLEN)

    def test_a_week_is_enough(self):
        assert found(IAM["Persistence"], *on_earlier_days(HISTORY_DAYS, iam.WORK), CREATE_USER | STOLEN)

    def test_the_second_day_of_the_same_is_no_news(self):
        tomorrow = CREATE_USER | STOLEN | {"time": START + timedelta(days=1)}
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, CREATE_USER | STOLEN, tomorrow)
        assert finding.event_last_seen < START + timedelta(days=1)

    def test_signing_in_makes_no_place_known(self):
        """Whoever knows a user's name can fail to sign in as him from anywhere."""
        sign_in = {"api_service_name": "signin.amazonaws.com", "api_operation": "ConsoleLogin"}
        attempts = iam.WORK | STOLEN | sign_in | {"event_type": "AwsConsoleSignIn"}
        assert found(IAM["Persistence"], *iam.HISTORY, *on_earlier_days(8, attempts), CREATE_USER | STOLEN)

    @pytest.mark.parametrize(("days", "fires"), [(0, True), (1, True), (2, False)])
    def test_a_place_is_known_after_two_days(self, days, fires):
        earlier = on_earlier_days(days, iam.WORK | STOLEN)
        assert bool(found(IAM["Persistence"], *iam.HISTORY, *earlier, CREATE_USER | STOLEN)) is fires

    @pytest.mark.parametrize(("days", "fires"), [(2, True), (4, True), (KNOWN_ANYHOW_DAYS, False)])
    def test_who_looks_around_for_some_days_first_does_not_make_a_place_known(self, days, fires):
        looks = [iam.WORK | STOLEN | {"api_operation": f"Describe{i}"} for i in range(3)]
        earlier = [*on_earlier_days(15, iam.WORK), *on_earlier_days(days, *looks)]
        assert bool(found(IAM["Persistence"], *earlier, CREATE_USER | STOLEN)) is fires

    def test_a_theft_over_midnight_is_seen_though_its_place_was_there_the_day_before(self):
        yesterday = iam.WORK | STOLEN | {"time": START - timedelta(days=1)}
        (finding,) = found(IAM["Persistence"], *iam.HISTORY, yesterday, CREATE_USER | STOLEN)
        assert "AS 64510 was seen in the account on 1 of 8 earlier days" in finding.description

    def test_a_deployment_that_rolls_out_a_new_service_is_quiet(self):
        role = {"actor_user_type": "AssumedRole", "actor_session_issuer_uid": "AROADEPLOY"}
        deploy = iam.WORK | role | {"actor_user_uid_alt": "AROADEPLOY:pipeline"}
        new = [deploy | {"api_service_name": "sqs.amazonaws.com", "api_operation": f"Create{i}"} for i in range(20)]
        for detector in iam.DETECTORS:
            assert not found(detector, *on_earlier_days(8, deploy), *new)

    def test_a_holiday_with_the_own_laptop_is_quiet(self):
        """New to the user, at most: what colleagues call."""
        reads = [iam.WORK | {"api_operation": f"Describe{i}"} for i in range(20)]
        colleagues = [one | {"actor_user_uid_alt": "AIDABOB"} for one in reads]
        earlier = on_earlier_days(8, *reads[4:], *colleagues)
        away = [one | {"src_endpoint_ip": iam.HOTEL} for one in reads]
        assert not found(IAM["Discovery"], *earlier, *away)

    def test_a_holiday_with_things_that_only_colleagues_did_is_quiet(self):
        colleagues = [iam.COLLEAGUE | {"api_operation": f"Describe{i}"} for i in range(20)]
        away = [iam.WORK | {"src_endpoint_ip": iam.HOTEL, "api_operation": f"Describe{i}"} for i in range(20)]
        assert not found(IAM["Discovery"], *iam.HISTORY, *on_earlier_days(8, *colleagues), *away)

    def test_looking_at_everything_from_a_new_place_is_not(self):
        reads = [iam.WORK | STOLEN | {"api_operation": f"Describe{i}"} for i in range(iam.LOOKING_AROUND)]
        (finding,) = found(IAM["Discovery"], *iam.HISTORY, *reads)
        assert finding.severity == 2.0

    def test_pages_of_the_console_that_nobody_opened_before_are_quiet(self):
        browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
        usual = iam.WORK | {"http_request_user_agent": browser}
        pages = [usual | {"api_operation": f"Describe{i}"} for i in range(40)]
        assert not found(IAM["Discovery"], *on_earlier_days(8, usual), *pages)

    @given(order=st.permutations(range(6)))
    def test_the_order_of_calls_does_not_matter(self, order):
        rows = [*iam.HISTORY[-3:], CREATE_USER | STOLEN, CREATE_KEY | STOLEN, iam.WORK]
        rows = [{"time": START + timedelta(seconds=i), "event_hash": 10_000 + i} | row for i, row in enumerate(rows)]
        earlier = [{"event_hash": i} | row for i, row in enumerate(iam.HISTORY)]
        (finding,) = found(IAM["Persistence"], *earlier, *(rows[i] for i in order))
        assert finding.action.api == "CreateAccessKey"


class TestObjects:
    """The types of buckets."""

    def test_the_finding_is_about_the_bucket_and_tells_how_often_it_was_used(self):
        call = s3.READ | {"api_operation": "DeleteObject", "bucket_name": "payroll"}
        rows = [call | {"object_key": str(i)} for i in range(s3.VERY_MANY_CALLS)]
        (finding,) = found(S3["Impact:S3/AnomalousBehavior.Delete"], *s3.HISTORY, *rows, places=s3.PLACES)
        assert finding.resource.resource_type == "S3Bucket"
        assert finding.resource.s3_buckets[0].name == "payroll"
        assert finding.description.endswith(
            "DeleteObject was called 1000 times on that day; it was never called on earlier days."
        )
        assert finding.additional_info["unusualBehavior"]["unusualBucketsUserIdentityProfiling"] == "payroll"

    def test_each_bucket_has_a_finding_of_its_own(self):
        stolen = s3.READ | {"api_operation": "CopyObject", "src_endpoint_ip": s3.HOTEL}
        calls = [stolen | {"bucket_name": name} for name in ("records", "plans")]
        findings = found(S3["Exfiltration:S3/AnomalousBehavior"], *s3.HISTORY, *calls, places=s3.PLACES)
        assert sorted(one.resource.s3_buckets[0].name for one in findings) == ["plans", "records"]

    def test_a_policy_of_a_bucket_is_a_change_of_permissions(self):
        change = s3.READ | {"event_category": "Management", "api_operation": "PutBucketPolicy", "object_key": None}
        stolen = change | {"src_endpoint_ip": s3.HOTEL}
        assert found(S3["Impact:S3/AnomalousBehavior.Permission"], *s3.HISTORY, stolen, places=s3.PLACES)

    def test_a_busy_day_within_twice_the_busiest_one_is_quiet(self):
        usual = [[s3.READ] * count for count in (90, 110, 400, 100, 95, 105, 100, 90)]
        earlier = [row | {"time": START - timedelta(days=8 - day)} for day, rows in enumerate(usual) for row in rows]
        elsewhere = [s3.READ | {"bucket_name": "payroll", "http_request_user_agent": "rclone/v1.66"}] * 700
        assert not found(S3["Exfiltration:S3/AnomalousBehavior"], *earlier, *elsewhere, places=s3.PLACES)

    def test_data_events_alone_have_a_history(self):
        """What somebody does with management calls says nothing of objects."""
        stolen = s3.READ | {"api_operation": "CopyObject", "src_endpoint_ip": s3.HOTEL}
        assert not found(S3["Exfiltration:S3/AnomalousBehavior"], *iam.HISTORY, stolen, places=s3.PLACES)


RUNNER = {
    "actor_user_type": "AssumedRole",
    "actor_user_name": "deploy",
    "actor_session_issuer_uid": "AROADEPLOY",
    "actor_user_uid_alt": "AROADEPLOY:pipeline",
}
JOBS = [
    ("ec2", "DescribeInstances"),
    ("iam", "GetRole"),
    ("iam", "CreateRole"),
    ("iam", "AttachRolePolicy"),
    ("kms", "ScheduleKeyDeletion"),
    ("ec2", "CreateSnapshot"),
    ("ecr", "GetAuthorizationToken"),
    ("secretsmanager", "GetSecretValue"),
    ("logs", "DeleteLogGroup"),
    ("lambda", "UpdateFunctionCode"),
]
"""What a pipeline does every day, of every tactic."""


def does(jobs, **changes):
    return [
        iam.WORK | RUNNER | {"api_service_name": f"{of}.amazonaws.com", "api_operation": one} | changes
        for of, one in jobs
    ]


class TestMoves:
    """Programs that go on with their work in another network, and thieves that do not."""

    NEW = [("iam", "CreateUser"), ("kms", "DisableKey"), ("ec2", "ModifySnapshotAttribute")]

    def all_found(self, *rows):
        return [finding for detector in iam.DETECTORS for finding in found(detector, *rows)]

    @pytest.mark.parametrize("new", [[], NEW[:1], NEW])
    @pytest.mark.parametrize("changes", [STOLEN, {"src_endpoint_ip": iam.HOTEL}])
    def test_a_pipeline_that_moves_and_deploys_is_one_finding_at_most_and_none_high(self, changes, new):
        findings = self.all_found(*iam.HISTORY, *on_earlier_days(8, *does(JOBS)), *does([*JOBS, *new], **changes))
        assert len(findings) <= 1
        assert all(finding.severity < 7 for finding in findings)

    def test_a_thief_of_the_pipelines_credentials_is_found(self):
        asks = [("ec2", "DescribeInstances"), ("iam", "GetRole"), *self.NEW]
        findings = self.all_found(*iam.HISTORY, *on_earlier_days(8, *does(JOBS)), *does(asks, **STOLEN))
        assert {finding.type.partition(":")[0] for finding in findings} >= {"Persistence", "Exfiltration", "Impact"}

    def test_a_person_who_moves_is_judged_as_before(self):
        person = {"actor_user_type": "IAMUser", "actor_user_uid_alt": "AIDAALICE", "actor_session_issuer_uid": None}
        history = on_earlier_days(8, *does(JOBS, **person))
        assert len(self.all_found(*iam.HISTORY, *history, *does([*JOBS, *self.NEW], **person, **STOLEN))) > 1

    def test_what_was_denied_and_nobody_ever_did_is_told_of_after_a_move_too(self):
        tried = does([("iam", "CreateUser")], api_response_error="AccessDenied", **STOLEN)
        findings = self.all_found(*iam.HISTORY, *on_earlier_days(8, *does(JOBS)), *does(JOBS, **STOLEN), *tried)
        assert "Persistence" in {finding.type.partition(":")[0] for finding in findings}

    READS = [s3.READ | RUNNER] * 40
    DAILY = on_earlier_days(8, *READS)

    def test_a_program_that_moves_and_reads_what_it_always_reads_is_quiet(self):
        moved = [one | STOLEN for one in self.READS]
        for detector in s3.DETECTORS:
            assert not found(detector, *s3.HISTORY, *self.DAILY, *moved)
            assert not found(detector, *s3.HISTORY, *self.DAILY, *self.READS[:10], *moved)

    def test_who_reads_elsewhere_while_the_program_works_on_is_not(self):
        exfiltration = S3["Exfiltration:S3/AnomalousBehavior"]
        stolen = [one | STOLEN for one in self.READS]
        assert found(exfiltration, *s3.HISTORY, *self.DAILY, *self.READS[:10], *stolen, *self.READS[:1])

    @pytest.mark.parametrize("reads", [READS[:4], READS * 4, [*READS, s3.READ | RUNNER | {"bucket_name": "plans"}]])
    def test_less_more_or_something_else_than_ever_is_not(self, reads):
        exfiltration = S3["Exfiltration:S3/AnomalousBehavior"]
        assert found(exfiltration, *s3.HISTORY, *self.DAILY, *(one | STOLEN for one in reads))
