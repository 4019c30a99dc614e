"""What users of such tools complain of most, and the tests that answer it. A name that is gone fails here."""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ENGINE, CAMPAIGNS, SOCIAL = "campaigns/engine", "campaigns", "social"

PAINS: dict[str, tuple[str, ...]] = {
    "pain 1: a planned post never fails to go out without saying why": (
        f"{CAMPAIGNS}/test_attention_page.py::test_a_row_says_what_where_when_and_why",
        f"{CAMPAIGNS}/test_preflight_ahead.py::test_those_who_may_act_are_told_what_when_and_why",
        f"{ENGINE}/test_schedule.py::test_a_held_post_becomes_missed_and_people_hear_of_it",
        f"{ENGINE}/test_late_policy.py::test_what_was_missed_asks",
        "marketing/test_health.py::test_silent_scheduler_is_reported_with_its_silence",
        "marketing/test_context.py::test_the_age_of_the_scheduler_is_told",
    ),
    "pain 2: nothing is published twice, whatever breaks": (
        f"{ENGINE}/test_failures.py::test_a_post_that_was_taken_without_an_answer_is_found_and_never_sent_again",
        f"{ENGINE}/test_crash.py::test_a_worker_killed_at_any_point_leaves_exactly_one_post",
        f"{ENGINE}/test_crash.py::test_a_thread_whose_worker_was_killed_goes_on_after_its_last_live_part",
        f"{ENGINE}/test_races.py::test_many_dispatchers_claim_each_delivery_once_and_one_per_account",
        f"{ENGINE}/test_publish.py::test_a_repeated_message_does_nothing",
        f"{ENGINE}/test_telegram.py::test_without_an_answer_a_person_is_asked_and_nothing_is_sent_again",
        f"{ENGINE}/test_schedule.py::test_a_backlog_after_an_outage_is_not_flushed",
        "browser/test_publishing_round.py::test_the_post_is_once_on_telegram_as_it_was_written",
        "browser/test_publishing_round.py::test_the_post_is_once_on_x_in_its_own_words",
    ),
    "pain 3: X stays connected": (
        f"{SOCIAL}/test_refresh.py::test_a_refresh_swaps_both_tokens_and_counts_up",
        f"{SOCIAL}/test_refresh.py::test_who_saw_an_older_version_gets_the_stored_result",
        f"{SOCIAL}/test_refresh.py::test_only_xs_own_word_about_the_token_ends_a_connection",
        f"{CAMPAIGNS}/test_preflight_ahead.py::test_a_log_in_that_ends_before_the_post_is_renewed_ahead",
        f"{ENGINE}/test_failures.py::test_a_rejected_token_is_refreshed_and_the_post_goes_out",
    ),
    "pain 4: connecting again heals the log-in instead of breaking it": (
        f"{SOCIAL}/test_refresh.py::test_reconnecting_heals_a_dead_family_and_keeps_the_row",
        f"{SOCIAL}/test_refresh.py::test_an_empty_refresh_token_never_replaces_a_good_one",
        f"{SOCIAL}/test_connect.py::test_connecting_again_keeps_the_row_and_its_history",
        f"{ENGINE}/test_failures.py::test_a_dead_log_in_holds_the_post_until_the_account_is_connected_again",
    ),
    "pain 5: a text with a picture is measured as a caption before Telegram refuses it": (
        f"{SOCIAL}/test_telegram_rules.py::test_a_caption",
        f"{SOCIAL}/test_telegram_rules.py::test_the_author_is_told_that_a_caption_is_shorter",
        f"{CAMPAIGNS}/test_composer_telegram.py::test_a_picture_makes_the_text_a_caption",
    ),
    "pain 6: Telegram is easy to connect, private channels too, and formatting arrives": (
        f"{SOCIAL}/telegram/test_telegram_connect.py::test_a_chat_that_let_the_bot_in_before_we_listened_is_found_by_its_code",
        f"{SOCIAL}/telegram/test_telegram_connect.py::test_a_code_posted_in_the_chat_shows_that_it_is_ours",
        f"{SOCIAL}/telegram/test_telegram_connect.py::test_a_bot_that_may_not_post_is_refused_with_what_to_do",
        f"{SOCIAL}/telegram/test_telegram_pages.py::test_a_chat_appears_as_soon_as_its_code_is_posted",
        f"{SOCIAL}/telegram/test_telegram_pages.py::test_a_test_message_is_sent_shown_and_deleted",
        f"{ENGINE}/test_telegram.py::test_marked_text_arrives_as_text_and_entities",
    ),
    "pain 7: a post goes out at the time on the wall, also when the clocks change": (
        f"{CAMPAIGNS}/test_slots.py::test_upcoming_slots_keep_their_wall_clock_over_a_clock_change",
        f"{CAMPAIGNS}/test_calendar_moves.py::test_a_drop_into_the_hour_that_comes_twice_takes_the_first",
        f"{CAMPAIGNS}/test_calendar_clock.py::test_a_reader_elsewhere_is_told_their_own_time",
        f"{CAMPAIGNS}/test_import_check.py::test_a_time_that_the_clocks_skip_is_explained_and_kept",
        "browser/test_publishing_round.py::test_a_post_dropped_on_another_day_says_the_new_time_and_its_zone",
    ),
    "pain 8: the calendar shows every post, on the day of the workspace": (
        f"{CAMPAIGNS}/test_calendar_days.py::test_half_past_eleven_utc_on_the_last_day_stands_on_the_day_of_the_zone",
        f"{CAMPAIGNS}/test_calendar_days.py::test_the_first_and_last_moment_of_the_shown_days_belong_to_them",
        f"{CAMPAIGNS}/test_calendar_page.py::test_a_post_at_the_turn_of_the_year_stands_on_the_day_of_the_workspace",
        f"{CAMPAIGNS}/test_calendar_page.py::test_the_rest_of_a_full_day_comes_when_it_is_opened",
    ),
    "pain 9: pictures arrive as they were uploaded": (
        f"{ENGINE}/test_files_arrive.py::test_a_picture_arrives_on_x_byte_for_byte",
        f"{ENGINE}/test_files_arrive.py::test_a_picture_arrives_in_the_chat_byte_for_byte",
    ),
    "pain 10: videos go up in pieces, and a failure says what is wrong": (
        f"{SOCIAL}/test_x_client.py::test_a_large_file_goes_in_chunks_and_is_never_held_whole",
        f"{SOCIAL}/test_telegram_wire.py::test_a_file_is_read_in_pieces_while_it_is_sent",
        f"{ENGINE}/test_publish.py::test_a_file_that_is_still_processed_is_asked_for_later_without_a_failure",
        f"{ENGINE}/test_publish.py::test_a_file_that_x_cannot_process_fails_with_the_reason",
    ),
    "pain 11: posts are approved, by roles that fit": (
        f"{CAMPAIGNS}/test_approval.py::test_submitting_asks_for_a_review_of_what_will_be_sent",
        f"{CAMPAIGNS}/test_approval.py::test_only_editors_submit",
        f"{CAMPAIGNS}/test_approval.py::test_only_reviewers_decide",
        f"{CAMPAIGNS}/test_deliveries.py::test_reviewers_viewers_and_guests_plan_nothing",
        "accounts/test_permissions.py::test_page_opens_for_the_roles_of_the_table",
        "browser/test_publishing_round.py::test_the_question_in_the_chat_is_closed",
    ),
    "pain 12: no approval is walked round": (
        f"{CAMPAIGNS}/test_approval.py::test_nobody_approves_their_own_post",
        f"{CAMPAIGNS}/test_approval.py::test_no_scope_of_an_api_key_approves",
        f"{CAMPAIGNS}/test_approval.py::test_a_change_behind_the_services_makes_the_approval_void",
        f"{CAMPAIGNS}/test_import_apply.py::test_nothing_of_a_file_is_approved",
        f"{CAMPAIGNS}/test_api_publish.py::test_nothing_unapproved_is_sent_or_planned",
        f"{ENGINE}/test_publish.py::test_a_draft_never_goes_out_whatever_its_row_says",
        f"{ENGINE}/test_publish.py::test_text_that_changed_after_approval_goes_back_to_review",
    ),
    "pain 13: editing a published post never publishes it again": (
        f"{ENGINE}/test_live_changes.py::test_an_edit_is_no_second_publication",
        f"{ENGINE}/test_live_changes.py::test_an_edit_whose_answer_was_lost_is_found_and_not_repeated",
        f"{ENGINE}/test_live_changes_telegram.py::test_a_message_is_edited_in_place",
        f"{CAMPAIGNS}/test_approval.py::test_what_is_live_or_on_its_way_cannot_be_edited",
        f"{CAMPAIGNS}/test_api_posts.py::test_published_post_cannot_change",
        f"{CAMPAIGNS}/test_import_check.py::test_a_published_post_is_never_changed",
    ),
    "pain 14: a plan is imported from a table, with accounts, texts, files and times": (
        f"{CAMPAIGNS}/test_import_apply.py::test_a_row_becomes_a_planned_draft",
        f"{CAMPAIGNS}/test_import_apply.py::test_everything_a_row_can_say_is_kept",
        f"{CAMPAIGNS}/test_import_apply.py::test_the_same_file_again_changes_nothing",
        f"{CAMPAIGNS}/test_import_check.py::test_all_mistakes_of_a_row_are_told_at_once",
        f"{CAMPAIGNS}/test_import_check.py::test_a_good_row_is_created_and_a_dry_run_makes_nothing",
    ),
    "pain 15: the plan and what became of it can be taken away": (
        f"{CAMPAIGNS}/test_exports.py::test_every_account_of_a_post_is_a_line",
        f"{CAMPAIGNS}/test_exports.py::test_results_stand_beside_the_plan",
        f"{CAMPAIGNS}/test_exports.py::test_an_exported_plan_imported_again_changes_nothing",
    ),
    "pain 16: repeated texts and clashing times are warned of, and a key makes a request count once": (
        f"{CAMPAIGNS}/test_calendar_warnings.py::test_posts_less_than_ten_minutes_apart_warn_of_each_other",
        f"{CAMPAIGNS}/test_calendar_warnings.py::test_the_same_text_twice_is_told_with_its_day",
        f"{ENGINE}/test_repeats.py::test_the_same_account_does_not_repeat_itself_within_a_day",
        f"{CAMPAIGNS}/test_api_posts.py::test_same_key_creates_one_post",
        "accounts/test_api.py::test_every_write_in_a_workspace_takes_an_idempotency_key",
    ),
    "pain 17: the API reads, plans and repairs a single post": (
        f"{CAMPAIGNS}/test_api_deliveries.py::test_receipt_shows_every_attempt_without_the_raw_answer",
        f"{CAMPAIGNS}/test_api_deliveries.py::test_approved_one_is_scheduled",
        f"{CAMPAIGNS}/test_api_deliveries.py::test_time_that_cannot_be_kept_is_refused",
        f"{CAMPAIGNS}/test_api_deliveries.py::test_person_confirms_that_it_is_live",
        f"{CAMPAIGNS}/test_api_deliveries.py::test_person_says_it_is_to_be_sent_again",
        f"{CAMPAIGNS}/test_api_posts.py::test_patch_changes_what_is_named",
    ),
    # Signed calls to other systems are not built yet: what they will carry is written in the outbox already.
    "pain 18: failures are told like successes": (
        f"{ENGINE}/test_publish.py::test_publishing_tells_the_members_and_the_outbox",
        f"{ENGINE}/test_failures.py::test_every_end_of_a_delivery_is_in_the_outbox",
        f"{CAMPAIGNS}/test_publishing_log.py::test_every_ending_counts_once",
        "accounts/test_news.py::test_event_of_an_undone_act_was_never_told",
    ),
    "pain 19: what is shown is true, and says what to do": (
        f"{CAMPAIGNS}/test_delivery_detail.py::test_a_failure_shows_its_reason_and_the_way_out",
        f"{CAMPAIGNS}/test_delivery_detail.py::test_unconfirmed_asks_the_person",
        f"{CAMPAIGNS}/test_delivery_detail.py::test_the_raw_answer_is_for_staff_only",
        f"{SOCIAL}/test_refresh.py::test_a_good_status_without_a_usable_token_is_uncertain",
        f"{SOCIAL}/test_x_errors.py::test_a_post_that_was_accepted_without_an_id_is_uncertain",
        f"{SOCIAL}/test_telegram_errors.py::test_a_user_reads_what_to_do_and_staff_what_telegram_said",
        "browser/test_publishing_round.py::test_a_lost_answer_is_settled_with_the_link_and_sent_no_second_time",
    ),
    "pain 20: one cause is one line with one button": (
        f"{CAMPAIGNS}/test_attention_page.py::test_failures_of_one_cause_stand_together",
        f"{CAMPAIGNS}/test_retry_all.py::test_all_of_an_account_are_planned_again_a_minute_apart",
        f"{CAMPAIGNS}/test_retry_all.py::test_no_state_but_failed_and_missed_is_ever_retried",
        f"{ENGINE}/test_breakers.py::test_failures_in_a_row_open_the_breaker_of_the_account",
        f"{ENGINE}/test_breakers.py::test_people_are_told_once",
    ),
}


@cache
def names_in(file: str) -> set[str]:
    body = ast.parse((TESTS / file).read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("pain", PAINS)
def test_a_pain_is_answered_by_tests_that_exist(pain: str) -> None:
    answers = [answer.split("::") for answer in PAINS[pain]]
    assert answers
    assert [f"{file}::{name}" for file, name in answers if name not in names_in(file)] == []


def test_every_pain_up_to_the_twentieth_is_in_the_table() -> None:
    assert [pain.split(":")[0] for pain in PAINS] == [f"pain {number}" for number in range(1, 21)]
