"""What the pages do, programs can do: each unsafe route of a page has its operation, or a reason for none."""

from __future__ import annotations

from flask import Flask

from webapp.api.operation import OPERATIONS
from webapp.security import SAFE_METHODS

PASSWORD = "the password and its second step are the owner's own: no token may change them"
BROWSER = "it is a matter of one browser"

#: By route of a page, the operation that does the same; or a sentence that says why there is none.
SAME = {
    "account.begin_codes": PASSWORD,
    "account.change_password": PASSWORD,
    "account.confirm_codes": PASSWORD,
    "account.create_token": "create_token",
    "account.end_other_sessions": "end_other_sessions",
    "account.end_session": "end_session",
    "account.renew_recovery_codes": PASSWORD,
    "account.revoke_token": "revoke_token",
    "account.switch_codes_off": PASSWORD,
    "appearance.choose": BROWSER,
    "appointments.add": "add_appointment",
    "appointments.change": "change_appointment",
    "appointments.put_back": "add_appointment",
    "appointments.remove": "remove_appointment",
    "calendars.renew": "renew_calendar",
    "jobs.add_note": "add_note",
    "jobs.change_many": "change_jobs",
    "jobs.change_status": "set_job_status",
    "jobs.delete_note": "delete_note",
    "jobs.edit_note": "edit_note",
    "jobs.mark_seen": "mark_jobs_seen",
    "jobs.mark_unseen": "mark_jobs_unseen",
    "jobs.merge": "merge_job",
    "jobs.plan": "set_job_plan",
    "jobs.split": "split_job",
    "jobs.undo_many": "undo_bulk",
    "pipeline.finish": "delete_job_plan",
    "pipeline.move": "set_job_status",
    "profile.choose": "choose_profile",
    "profile.try_": "try_profile",
    "profile.would_change": "preview_profile",
    "scans.cancel": "cancel_scan",
    "scans.scan_everything": "start_scan",
    "searches.change": "change_search",
    "searches.create": "add_search",
    "searches.pause": "change_search",
    "searches.remove": "remove_search",
    "searches.renew_feed": "renew_search_feed",
    "searches.resume": "change_search",
    "searches.test": "try_search",
    "sign_in.enter": BROWSER,
    "sign_in.enter_code": BROWSER,
    "sign_in.leave": BROWSER,
    "sources.add": "add_source",
    "sources.add_starters": "add_starter_sources",
    "sources.change_many": "change_sources",
    "sources.discover": "discover_sources",
    "sources.pause": "pause_source",
    "sources.remove": "remove_source",
    "sources.remove_many": "change_sources",
    "sources.resume": "resume_source",
    "sources.scan": "start_scan",
    "sources.set_schedule": "schedule_source",
    "sources.try_": "try_source",
    "sources.undo": "change_sources",
    "welcome.begin": "choose_profile, add_source and start_scan do it one by one",
    "welcome.skip": "the first run is a page, and nothing else depends on it",
}


def test_whatever_pages_do_programs_can_do(app: Flask) -> None:
    unsafe = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - SAFE_METHODS and not rule.rule.startswith("/api/v1/")
    }
    assert unsafe - set(SAME) == set(), "say which operation does the same, or why there is none"
    assert set(SAME) - unsafe == set()
    assert {each for each in SAME.values() if " " not in each} <= set(OPERATIONS)
