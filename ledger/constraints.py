"""What each constraint means to the person who ran into it: driver errors become ledger errors here, once, by its name.

A constraint that has neither an ending of ENDINGS nor an entry in CONSTRAINT_ERRORS fails tests/ledger/test_errors.py.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import psycopg

from ledger.errors import Conflict, Invalid, LedgerError, Taken, TookTooLong, Unavailable

_PERSON = (Invalid, "the person is not there")
_ID = (Conflict, "a row of this id is there already")

# Endings that mean the same for every table.
ENDINGS: Mapping[str, tuple[type[LedgerError], str]] = {
    "_same_site": (Invalid, "the row names something of another site, or something that is not there"),
    "_site_id_fkey": (Invalid, "the site is not there"),
    "_part_same_facility": (Invalid, "the part belongs to another facility, or is not there"),
    "_person_id_fkey": _PERSON,
    "_site_id_unique": _ID,
    "_facility_id_unique": _ID,
}

# Tables whose keys are numbers that nobody chooses.
_NUMBERED = (
    "alarm",
    "alarm_note",
    "api_token",
    "asset",
    "asset_service",
    "audit_log",
    "certificate",
    "condition",
    "condition_event",
    "dossier_entry",
    "facility",
    "gateway",
    "ingest_beat",
    "inspection_plan",
    "inspection_report",
    "inspection_round",
    "inspection_round_event",
    "inspection_signature",
    "location",
    "outbox",
    "part",
    "person",
    "place_photo",
    "point",
    "quarantine",
    "rule_parameter",
    "session",
    "site",
    "site_setting",
    "stale_hour",
    "tag",
    "tag_event",
    "timer",
    "work_order",
    "work_order_call_back",
    "work_order_event",
    "work_order_part",
    "work_order_photo",
    "work_order_signature",
    "work_permit",
)

# What every other constraint means to the person who ran into it.
CONSTRAINT_ERRORS: Mapping[str, tuple[type[LedgerError], str]] = {
    **{f"{table}_pkey": _ID for table in _NUMBERED},
    "ingest_beat_bounded": (Invalid, "a beat names its worker in 1 to 200 characters, and its lag is no less than 0"),
    "ledger_key_shape": (Invalid, "a key is 1 to 64 of a-z, 0-9, _ and -"),
    "alarm_acknowledged_by_someone": (Invalid, "an acknowledgement has both a time and a person, or neither"),
    "alarm_condition_same_facility": (Invalid, "an alarm belongs to the facility of its condition"),
    "alarm_historical_is_silent": (Invalid, "an alarm that was over before it arrived has ended and rings nowhere"),
    "alarm_occurrences_positive": (Invalid, "an alarm has occurred at least once"),
    "alarm_one_open": (Conflict, "the condition has an open alarm already"),
    "alarm_note_bounded": (Invalid, "a note has 1 to 4000 characters"),
    "api_token_bounded": (
        Invalid,
        "a token has a name of 1 to 100 characters, 1 to 50 rights, and names at most 1000 sites",
    ),
    "api_token_digest_unique": (Conflict, "this token is there already"),
    "api_token_ends_after_it_begins": (Invalid, "a token ends after it was made"),
    "api_token_made_by_id_fkey": _PERSON,
    "api_token_name_unique": (Taken, "a token of this name is in use; revoke it first or choose another name"),
    "api_token_revoked_by_somebody": (Invalid, "a revoked token has both a time and a name, or neither"),
    "audit_log_bounded": (Invalid, "an entry of the audit log names who did what, within bounds"),
    "audit_log_outcome_known": (Invalid, "what was asked for was done or refused"),
    "audit_log_token_id_fkey": (Invalid, "the token is not there"),
    "membership_once": (Conflict, "the person has this role there already"),
    "person_disabled_by_somebody": (
        Invalid,
        "a person who may not sign in has both a time and a name for that, or neither",
    ),
    "person_external_id_unique": (Conflict, "somebody else signs in with this identity already"),
    "person_language_known": (Invalid, "a person reads zh or en"),
    "person_login_shape": (
        Invalid,
        "a login is 1 to 64 of a-z, 0-9, '.', '_', '@' and '-', and begins with a letter or figure",
    ),
    "person_login_unique": (Taken, "somebody has this login already"),
    "person_name_bounded": (Invalid, "a name has 1 to 100 characters, and no blanks around it"),
    "person_name_unique": (
        Taken,
        "somebody has this name already, and the journals know people by it; add what tells the two apart",
    ),
    "person_password_is_argon2": (Invalid, "a password is kept as its argon2id hash"),
    "person_password_pkey": (Conflict, "the person has a password already"),
    "person_setting_bounded": (Invalid, "a saved setting is at most 16 KiB"),
    "person_setting_pkey": (Conflict, "the setting was saved at the same moment"),
    "session_bounded": (Invalid, "a session says where it came from within bounds"),
    "session_digest_unique": (Conflict, "this session is there already"),
    "session_ends_after_it_begins": (Invalid, "a session ends after it began"),
    "session_way_known": (Invalid, "somebody signs in with a password or through a provider"),
    "asset_dates_in_order": (Invalid, "an asset is made, then installed, then removed"),
    "asset_service_bounded": (Invalid, "a service on record has a note of 1 to 4000 characters"),
    "asset_service_asset_same_site": (Invalid, "a service is of a piece of its own site"),
    "asset_one_installed": (Conflict, "another asset is installed there; it has to be removed first"),
    "certificate_bounded": (
        Invalid,
        "a certificate has a number and an issuer of 1 to 100 characters, and at most 4000 of note",
    ),
    "certificate_ends_after_it_begins": (Invalid, "a certificate ends no earlier than it was issued"),
    "certificate_replaces_same_facility": (Invalid, "a certificate replaces one of its own facility"),
    "certificate_withdrawn_by_somebody": (
        Invalid,
        "a certificate is withdrawn by somebody, at a time, and for a reason",
    ),
    "certificate_page_pkey": (Conflict, "the certificate has this page already"),
    "certificate_page_named_by_content": (Invalid, "a page is named by the SHA-256 of its bytes"),
    "certificate_page_is_a_document": (Invalid, "a page is a PDF or a JPEG, PNG or WebP picture with bytes"),
    "condition_identity_unique": (Conflict, "this rule has a condition at this facility and part already"),
    "condition_shelved_by_someone": (Invalid, "a shelving has both an end and a person, or neither"),
    "condition_event_seq_unique": (Conflict, "somebody else moved the condition at the same moment"),
    "dossier_entry_hash_holds": (Invalid, "the hash of a dossier entry is not that of its bytes"),
    "dossier_entry_seq_unique": (Conflict, "somebody else wrote to the dossier at the same moment"),
    "facility_chain_head_whole": (Invalid, "a dossier has both entries and a head, or neither"),
    "facility_key_unique": (Conflict, "the site has a facility of this key already"),
    "facility_relation_not_self": (Invalid, "a facility cannot be related to itself"),
    "facility_fitness_mended_is_fit": (Invalid, "only what is fit was put right"),
    "facility_fitness_pkey": (Conflict, "the facility's fitness was written at the same moment"),
    "facility_relation_pkey": (Conflict, "the facility has a relation of this name already"),
    "gateway_facility_unique": (Conflict, "the facility is another gateway already"),
    "gateway_key_unique": (Conflict, "the site has a gateway of this key already"),
    "idempotency_key_bounded": (Invalid, "an idempotency key has 1 to 200 characters"),
    "idempotency_pkey": (Conflict, "this idempotency key was used before"),
    "idempotency_scope_named": (Invalid, "an answer is kept within the scope of at least one site"),
    "public_report_bounded": (Invalid, "a report has at most 1000 characters, and a contact 1 to 100"),
    "public_report_pkey": (Conflict, "a report of this number is there already"),
    "public_report_tag_same_facility": (Invalid, "a report's tag hangs on its facility"),
    "public_report_says_something": (Invalid, "a report of another problem has words or a photo"),
    "inspection_photo_is_a_picture": (Invalid, "a photo is a JPEG, PNG or WebP picture with bytes, width and height"),
    "inspection_photo_named_by_content": (
        Invalid,
        "a photo is named by the SHA-256 of its bytes, 64 hexadecimal figures",
    ),
    "inspection_photo_pkey": (Conflict, "the photo is there already"),
    "place_photo_is_a_picture": (Invalid, "a photo of a place is a picture with bytes, width and height"),
    "place_photo_named_by_content": (Invalid, "a photo of a place is named by the SHA-256 of its bytes"),
    "place_photo_one_current": (Conflict, "the facility's place was given another photo at the same moment"),
    "place_photo_removed_by_somebody": (Invalid, "a photo of a place is taken away by somebody, at a time"),
    "inspection_plan_days_fit": (Invalid, "a daily plan names no days, the others days of the week or month, from 1"),
    "inspection_plan_key_unique": (Taken, "the site has a plan of this key already"),
    "inspection_plan_window_bounded": (Invalid, "a round's window is 5 minutes to a day long"),
    "inspection_plan_form_in_order": (Invalid, "a form of a plan ends after it began"),
    "inspection_plan_form_one_in_force": (Conflict, "somebody else changed the plan at the same moment"),
    "inspection_plan_form_pkey": (Conflict, "somebody else changed the plan at the same moment"),
    "inspection_plan_stop_once": (Conflict, "a facility is on a route once"),
    "inspection_plan_stop_pkey": (Conflict, "the route has a stop of this number already"),
    "inspection_plan_stop_takes_time": (
        Invalid,
        "stops are numbered from 1, and legs and looks take no less than no time",
    ),
    "inspection_report_again_for_a_reason": (Invalid, "a report that is issued again says why"),
    "inspection_report_bounded": (
        Invalid,
        "what a report says is bounded: 8 MiB of figures, 4000 characters of reason",
    ),
    "inspection_report_of_a_month": (Invalid, "a report is of a month, named by its first day"),
    "inspection_report_of_its_figures": (Invalid, "the hash of a report is not that of its figures"),
    "inspection_report_version_once": (Conflict, "this version of the report is issued already"),
    "inspection_round_end_final": (Invalid, "a round has its end exactly when nobody walks it any more"),
    "inspection_round_once": (Conflict, "the round of this window has been started already"),
    "inspection_round_window_in_order": (Invalid, "a round's window ends after it begins"),
    "inspection_round_event_begins": (
        Invalid,
        "a round's journal begins with its start, and only that comes from nowhere",
    ),
    "inspection_round_event_seq_unique": (Conflict, "somebody else moved the round at the same moment"),
    "inspection_signature_bounded": (Invalid, "what is signed is bounded: 1 MiB of content, 4000 characters of note"),
    "inspection_signature_of_its_content": (Invalid, "the hash of a signature is not that of what was signed"),
    "inspection_signature_of_one_thing": (
        Invalid,
        "a round is signed by patroller and supervisor, a hazard by the fire manager",
    ),
    "inspection_signature_once": (Conflict, "this is signed already"),
    "inspection_visit_bounded": (
        Invalid,
        "what a visit says is bounded: 400 characters read, 4000 of note, 64 KiB of answers",
    ),
    "inspection_visit_defects_named": (Invalid, "a defective visit names what failed and how bad it is, no other does"),
    "inspection_visit_judged_by_checklist": (
        Invalid,
        "a visit that was judged has a facility and a checklist's version",
    ),
    "inspection_visit_not_before_it_was_made": (Invalid, "a visit was made before it was received"),
    "inspection_visit_pkey": (Conflict, "this visit is kept already"),
    "inspection_visit_reviewed_by_someone": (
        Invalid,
        "a review has a time and a person, and only what was reviewed has them",
    ),
    "inspection_visit_tag_has_facility": (Invalid, "a visit with a tag is at the tag's facility"),
    "inspection_visit_tag_same_facility": (Invalid, "a visit's tag hangs on its facility"),
    "inspection_visit_to_review_for_a_reason": (Invalid, "what is to review has a reason"),
    "inspection_visit_photo_named_by_content": (Invalid, "a photo is named by its SHA-256, 64 hexadecimal figures"),
    "inspection_visit_photo_pkey": (Conflict, "the visit shows this photo already"),
    "intake_account_late_stored": (Invalid, "only values that were stored can have been late"),
    "intake_account_messages_balance": (Invalid, "messages received are accepted, duplicate or quarantined"),
    "intake_account_pkey": (Conflict, "this minute has an account already; add to it"),
    "intake_account_values_balance": (Invalid, "values received are stored, repeated, conflicting or refused"),
    "location_key_unique": (Conflict, "the site has a location of this key already"),
    "location_not_own_parent": (Invalid, "a location cannot lie inside itself"),
    "outbox_published_has_topic": (Invalid, "only what has a topic is published"),
    "part_key_unique": (Conflict, "the facility has a part of this key already"),
    "point_hold_for_events": (Invalid, "events, and only they, have a hold"),
    "point_hold_positive": (Invalid, "the hold of an event is longer than nothing"),
    "point_key_shape": (Invalid, "a point is called like outlet_pressure or pump_1.run"),
    "point_key_unique": (Conflict, "the facility has a point of this key already"),
    "point_range_in_order": (Invalid, "a point's range begins below its end"),
    "point_report_interval_positive": (Invalid, "a report interval is longer than nothing"),
    "point_scale_not_zero": (Invalid, "a scale of zero would make every value the same"),
    "point_code_label_unique": (Conflict, "the label has a code already"),
    "point_code_pkey": (Conflict, "the code means another label already"),
    "quarantine_count_positive": (Invalid, "what is in quarantine was refused at least once"),
    "quarantine_samples_bounded": (Invalid, "quarantine keeps ten samples of 4 KiB at most"),
    "quarantine_times_in_order": (Invalid, "the first refusal is not after the last"),
    "quarantine_topic_reason_unique": (Conflict, "this topic and reason are in quarantine already; count them"),
    "reading_pkey": (Conflict, "this point has a reading of this time already, and the first one stays"),
    "reading_quality_known": (Invalid, "the quality of a reading is 0 good, 1 sensor fault or 2 out of range"),
    "reading_value_finite": (Invalid, "a reading is a finite number; a broken sensor's is NaN with quality 1"),
    "reading_hour_figures_whole": (Invalid, "an hour has figures exactly when it has good readings"),
    "reading_hour_last_within": (Invalid, "the last reading of an hour lies within it"),
    "reading_hour_of_something": (Invalid, "an hour is made of at least one reading"),
    "reading_hour_pkey": (Conflict, "this hour of the point is made already"),
    "rule_parameter_finite": (Invalid, "a parameter is a finite number"),
    "schema_migration_pkey": (Conflict, "this migration has been applied already"),
    "site_history_forgotten_counts": (Invalid, "readings that were forgotten are counted up"),
    "site_history_in_order": (Invalid, "hours are closed, then made"),
    "site_history_pkey": (Conflict, "the site's history has begun already"),
    "site_key_unique": (Conflict, "there is a site of this key already"),
    "site_setting_bounded": (Invalid, "a setting has a name of 1 to 200 and a value of 1 to 100 characters"),
    "site_setting_by_somebody_for_a_reason": (Invalid, "a setting is made by somebody for a reason"),
    "tag_code_shape": (Invalid, "a tag's code is twelve of the characters that tags are made of"),
    "tag_code_unique": (Conflict, "this code is taken; draw another"),
    "tag_replaced_once": (Conflict, "this tag has been replaced already; replace the newer one"),
    "tag_replaces_same_facility": (Invalid, "a tag replaces one of its own facility"),
    "tag_retired_by_someone_for_a_reason": (Invalid, "a retired tag has a time, a person and a reason"),
    "timer_frozen_delays_only": (Invalid, "only delays stand still"),
    "timer_one_subject": (Invalid, "a timer belongs to exactly one subject"),
    "timer_subject": (Conflict, "the subject has a timer of this kind already"),
    "timer_subject_fits_kind": (Invalid, "a timer's kind says what its subject is"),
    "work_order_end_final": (Invalid, "a work order has an end when it is closed or cancelled, and only then"),
    "work_order_suspended_from_working": (Invalid, "only an unresolved work order is suspended"),
    "work_order_suspension_whole": (Invalid, "a suspended work order says since when, from where and why"),
    "work_order_taken_by_someone": (Invalid, "a work order that was dispatched is somebody's"),
    "work_order_alarm_pkey": (Conflict, "the alarm is linked to this work order already"),
    "work_order_call_back_bounded": (Invalid, "a call-back names whom one spoke with, and has at most 4000 characters"),
    "work_order_call_back_low_says_why": (Invalid, "a rating of 1 or 2 needs words: say what was wrong"),
    "work_order_call_back_rating_of_five": (Invalid, "a rating is 1 to 5"),
    "work_order_event_breach_names_clock": (Invalid, "a breach, and only a breach, names the clock it missed"),
    "work_order_event_breach_once": (Conflict, "this missed deadline is on record already"),
    "work_order_event_seq_unique": (Conflict, "somebody else moved the work order at the same moment"),
    "work_order_part_bounded": (
        Invalid,
        "a part used has a name of 1 to 100 characters, a unit, and a quantity above 0, at most 1000000",
    ),
    "work_order_part_struck_by_someone": (Invalid, "a part that was struck has both a time and a name, or neither"),
    "work_order_photo_bounded": (Invalid, "the caption of a photo has 1 to 200 characters"),
    "work_order_signature_of_somebody": (Invalid, "a signature has the name of who signed, 1 to 100 characters"),
    "work_permit_answers_bounded": (Invalid, "what is said for a work permit is at most 64 KiB"),
    "work_permit_bounded": (Invalid, "a work permit ends after it begins, at most seven days later"),
    "work_permit_ended_by_someone": (Invalid, "a work permit's end has both a time and a name, or neither"),
    "work_permit_extended_once": (Conflict, "this work permit has been extended already; extend the newer one"),
    "work_permit_extends_same_facility": (Invalid, "a work permit extends one of its own facility"),
    "work_permit_names_rules": (
        Invalid,
        "a work permit names the rules it silences, 1 to 50; none only where its kind of work has none there",
    ),
    "work_permit_settled_after_overrun": (Invalid, "only an overrun work permit is settled, and after its end"),
    "work_permit_settled_by_someone": (Invalid, "the settling of a work permit has both a time and a name, or neither"),
}


def meaning_of(constraint: str) -> tuple[type[LedgerError], str] | None:
    """The error and its words; None for a constraint that nobody has given any."""
    own = CONSTRAINT_ERRORS.get(constraint)
    return own or next((said for ending, said in ENDINGS.items() if constraint.endswith(ending)), None)


_BUSY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


@contextmanager
def translated() -> Generator[None]:
    """Driver errors come out as ledger errors here, for who must tell them apart before the transaction ends."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error


def translate(error: psycopg.Error) -> LedgerError:
    """The ledger error for a driver error; an unknown constraint keeps the driver's words as Invalid.

    What is nobody's fault but ours - a wrong statement, a missing table or grant - stays a bare LedgerError.
    """
    if isinstance(error, psycopg.errors.QueryCanceled):
        return TookTooLong("the ledger is busy: a statement took longer than it may; try again")
    if isinstance(error, _BUSY):
        return Unavailable("the ledger is busy: somebody else is changing the same, or it took too long; try again")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable(f"database unavailable: {error}".strip())
    name = error.diag.constraint_name
    said = None if name is None else meaning_of(name)
    if said is not None:
        kind, meaning = said
        return Taken(meaning, str(name)) if issubclass(kind, Taken) else kind(meaning)
    kind = Invalid if isinstance(error, psycopg.DataError | psycopg.IntegrityError) else LedgerError
    return kind(f"{error.diag.message_primary or error}".strip())
