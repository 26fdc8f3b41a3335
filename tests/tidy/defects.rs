//! The defects of the system that this one replaces, each with the tests that show ours is right.
//!
//! `D` are those of its surroundings, `BUG` those of its engine. A list, not a rule of style: what it names has to
//! exist, and what is not built yet is said.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::guarantees::named_functions;
use crate::tree::Tree;

const PATH: &str = "tests/tidy/defects.rs";

/// What became of a defect.
enum Fate {
    /// These tests would fail if ours had it.
    Tested(&'static [&'static str]),
    /// Nothing here could have it, for this reason.
    Foreign(&'static str),
    /// What could have it is not built: this.
    NotBuilt(&'static str),
}

use Fate::{Foreign, NotBuilt, Tested};

/// A defect by its number, in a few words, and what became of it.
type Row = (&'static str, &'static str, Fate);

/// Of tasks, commands and operations.
const SURROUNDINGS: [Row; 40] = [
    (
        "D1",
        "transient retries never end, and their delays are constant",
        Tested(&[
            "without_a_policy_a_transient_failure_is_tried_ten_times_in_all",
            "the_delay_doubles_up_to_its_cap",
            "a_delay_that_the_task_asks_for_wins_over_the_policy",
        ]),
    ),
    (
        "D2",
        "a value in shell text becomes code",
        Tested(&["a_value_never_becomes_code", "awkward_values_arrive_unchanged_and_are_never_run"]),
    ),
    (
        "D3",
        "requests reach addresses inside",
        Tested(&[
            "an_address_that_is_not_of_the_internet_is_refused_before_it_is_connected_to",
            "what_was_vetted_is_what_is_connected_to_whatever_the_name_means_a_moment_later",
            "a_redirect_is_vetted_like_the_first_request",
        ]),
    ),
    (
        "D4",
        "sub-workflows give no outputs, are not canceled and are started twice",
        Tested(&[
            "recursion_ends_and_gives_its_outputs_also_a_hundred_deep",
            "canceling_a_caller_cancels_what_it_called_and_is_over_when_that_is",
            "another_engine_goes_on_with_both_whoever_it_is_told_to_drive",
        ]),
    ),
    ("D5", "the queue and the store may differ", Foreign("one log, no second store")),
    (
        "D6",
        "a start is not atomic",
        Tested(&["the_same_id_twice_is_one_workflow", "nothing_is_seen_before_it_is_durable"]),
    ),
    (
        "D7",
        "times depend on the zone and have a second of precision",
        Tested(&["moments_are_rfc_3339_in_utc_with_microseconds", "timers_fire_by_moment_then_workflow_then_number"]),
    ),
    ("D8", "two limits of attempts", Foreign("no queue of dead letters: failed work stays in its workflow")),
    (
        "D9",
        "the error is lost when work is delivered again",
        Tested(&[
            "the_causes_of_an_error_are_kept_nearest_first",
            "a_failure_is_told_with_its_stage_and_what_was_canceled_with_it",
        ]),
    ),
    (
        "D10",
        "what was stopped cannot be started again",
        Tested(&["a_closed_store_goes_on_where_it_ended", "what_was_given_back_is_queued_until_an_engine_drives_it"]),
    ),
    (
        "D11",
        "knowing what is repeated costs more than the work",
        Tested(&["only_accepted_commands_are_remembered", "p7_a_repeated_command_acts_once"]),
    ),
    (
        "D12",
        "recovery forgets workflows",
        Tested(&[
            "crashes_between_any_two_commands_change_nothing",
            "the_worklist_is_what_the_fold_asks_for_after_every_step",
        ]),
    ),
    (
        "D13",
        "a command without a shell has no arguments",
        Tested(&["a_command_is_text_for_a_shell_or_a_list_of_words"]),
    ),
    (
        "D14",
        "output is limited after all of it was read",
        Tested(&["streams_are_kept_whole_up_to_a_limit_and_drained_behind_it", "a_body_that_is_too_long_is_not_read"]),
    ),
    ("D15", "a program reads the input of the engine", Tested(&["a_program_reads_what_with_says_or_nothing"])),
    (
        "D16",
        "what is no text is kept as a mangled text",
        Tested(&["a_file_holds_what_its_record_says_up_to_the_limit"]),
    ),
    (
        "D17",
        "programs outlive a killed engine",
        Tested(&["what_a_killed_engine_left_running_is_killed_at_the_next_open"]),
    ),
    (
        "D18",
        "a cancel does not stop what runs",
        Tested(&[
            "a_canceled_attempt_ends_the_whole_group",
            "an_attempt_that_is_asked_to_stop_hangs_up_at_once",
            "a_container_is_ended_with_its_attempt",
            "a_program_on_another_host_is_ended_with_its_attempt",
        ]),
    ),
    (
        "D19",
        "values get into headers and addresses as they are",
        Tested(&["a_file_is_uploaded_among_the_fields_of_a_form", "a_value_in_an_address_stays_where_it_stands"]),
    ),
    (
        "D20",
        "settings of docker are easy to evade",
        Tested(&["what_reaches_behind_the_walls_needs_leave_however_it_is_written"]),
    ),
    ("D21", "a password is shown with the address of the database", Foreign("no database")),
    ("D22", "three grammars of addresses", Tested(&["an_address_is_read_as_it_will_be_asked"])),
    ("D23", "a filter of the list does nothing", Tested(&["lists_are_newest_first_and_filtered"])),
    (
        "D24",
        "a screen changes flags that nobody reads",
        Tested(&["workflows_begin_and_are_canceled_through_the_socket_and_nothing_acts_twice"]),
    ),
    ("D25", "figures of the queue in a database are wrong", Foreign("no queue, no database")),
    (
        "D26",
        "the order in which outputs are merged is open",
        Tested(&["of_scalars_the_later_wins", "lists_grow_by_what_is_not_there_yet"]),
    ),
    ("D27", "work whose lease is missed is forgotten", Tested(&["a_lost_worker_is_replaced_at_once"])),
    ("D28", "old files cannot be brought up to date", Tested(&["what_a_newer_version_writes_is_a_stop_that_names_it"])),
    ("D29", "what is made sure of twice is there twice", Tested(&["what_is_asked_twice_under_one_id_is_done_once"])),
    (
        "D30",
        "a message that is not known stops the others",
        Tested(&["a_record_that_is_no_event_stops_its_readers_at_its_place_and_nobody_else"]),
    ),
    ("D31", "cleaning up is left out after a cancel", NotBuilt("on_cleanup, finalizers")),
    (
        "D32",
        "every error of a task has the same wrong code",
        Tested(&["errors_of_tasks_keep_their_code_class_and_causes_wherever_they_are_shown"]),
    ),
    (
        "D33",
        "what failed is not kept with the task",
        Tested(&["errors_of_tasks_keep_their_code_class_and_causes_wherever_they_are_shown"]),
    ),
    ("D34", "the key of one model is sent to another", NotBuilt("task llm")),
    ("D35", "a loop of model and tools is one step", NotBuilt("task llm")),
    ("D36", "finalizers are forgotten in a crash", NotBuilt("finalizers")),
    (
        "D37",
        "lists have no end and each stage costs the whole workflow",
        Tested(&["events_are_read_from_anywhere_as_far_as_asked", "what_a_state_holds_does_not_grow_with_turns"]),
    ),
    (
        "D38",
        "examples do not run",
        Tested(&["every_definition_among_the_examples_is_clean", "the_commands_of_the_readme_run"]),
    ),
    (
        "D39",
        "secrets are kept in clear",
        Tested(&[
            "a_planted_value_is_in_no_file_no_table_of_processes_and_nothing_that_is_printed",
            "programs_are_given_secrets_that_no_file_of_the_engine_holds",
            "a_secret_is_refused_wherever_its_value_would_be_recorded_or_seen",
        ]),
    ),
    ("D40", "figures that nobody counts", Tested(&["a_follower_has_taken_in_what_was_durable_when_it_is_read"])),
];

/// Of the engine.
const ENGINE: [Row; 65] = [
    (
        "BUG-01",
        "a stage that cannot be planned has succeeded",
        Tested(&[
            "a_condition_that_cannot_be_computed_fails_the_stage_unless_it_counts_as_false",
            "a_number_that_is_none_fails_the_stage",
        ]),
    ),
    (
        "BUG-02",
        "a task that is passed by stops its stage for ever",
        Tested(&["a_task_whose_condition_does_not_hold_is_passed_by"]),
    ),
    ("BUG-03", "a stage behind a failed one keeps it running", NotBuilt("stages inside stages: after")),
    (
        "BUG-04",
        "a join that has fired is started for an hour",
        Tested(&["a_discriminator_that_has_fired_is_open_again", "a_5_the_mode_of_a_join_is_obeyed"]),
    ),
    (
        "BUG-05",
        "a choice or a canceled region cancels the workflow",
        Tested(&[
            "a_6_the_environment_makes_a_deferred_choice_and_the_workflow_succeeds",
            "a_10_behind_a_canceled_region_the_workflow_goes_on_and_ends",
        ]),
    ),
    (
        "BUG-06",
        "a stopped branch ends the workflow before the join",
        Tested(&["a_branch_that_was_stopped_excuses_the_join_that_waits_for_it"]),
    ),
    (
        "BUG-07",
        "what waits does not count as unfinished beside a stopped branch",
        Tested(&["a_stopped_branch_lets_the_others_end_before_the_workflow_fails"]),
    ),
    (
        "BUG-08",
        "a healthy branch fails because another is done",
        Tested(&["a_11_a_workflow_waits_as_long_as_one_of_its_stages_does"]),
    ),
    (
        "BUG-09",
        "a change of status that is not legal",
        Tested(&["every_change_is_legal_exactly_where_its_row_says_so"]),
    ),
    (
        "BUG-10",
        "what is suspended counts as failed",
        Tested(&["a_task_is_suspended_until_its_signal_comes_and_sees_it"]),
    ),
    (
        "BUG-11",
        "a before-stage that goes on stops its parent for ever",
        NotBuilt("stages inside stages: before, after"),
    ),
    (
        "BUG-12",
        "tasks behind a failed one run",
        Tested(&["a_task_that_halts_ends_its_stage_and_later_tasks_do_not_begin"]),
    ),
    (
        "BUG-13",
        "an OR-join waits for branches that were not chosen",
        Tested(&["a_4_a_branch_that_was_not_chosen_is_no_arrival_at_any_join"]),
    ),
    ("BUG-14", "a start between two writes is given up", Tested(&["crashes_between_any_two_commands_change_nothing"])),
    ("BUG-15", "a stage that is restarted goes nowhere", NotBuilt("restart of a stage")),
    (
        "BUG-16",
        "what is canceled before its start is there for ever",
        Tested(&[
            "what_has_not_started_is_canceled_without_a_start",
            "a_workflow_that_waits_for_its_start_can_be_canceled",
        ]),
    ),
    ("BUG-17", "limits of concurrency are exceeded", NotBuilt("concurrency groups")),
    (
        "BUG-18",
        "a cancel does not reach what is inside",
        Tested(&["a_cancel_ends_what_is_inside_before_what_is_around_it"]),
    ),
    (
        "BUG-19",
        "nothing follows a canceled stage",
        Tested(&[
            "canceling_ends_all_that_lives_and_then_the_workflow",
            "control_goes_on_behind_what_was_canceled_and_nothing_it_gave_is_seen",
        ]),
    ),
    (
        "BUG-20",
        "failures reach neither task nor event",
        Tested(&["errors_of_tasks_keep_their_code_class_and_causes_wherever_they_are_shown"]),
    ),
    ("BUG-21", "recovery starts a parent before its before-stages", NotBuilt("stages inside stages: before")),
    ("BUG-22", "a workflow is started twice", Tested(&["a_workflow_is_created_once"])),
    ("BUG-23", "planning again makes every before-stage again", NotBuilt("stages inside stages: before")),
    (
        "BUG-24",
        "adding an instance takes three writes",
        Tested(&["a_large_batch_is_one_batch", "an_added_instance_is_given_its_item"]),
    ),
    (
        "BUG-25",
        "an old signal is taken again, whatever its name",
        Tested(&[
            "polls_and_resumes_are_no_failures_and_a_retry_sees_the_signal_again",
            "a_task_may_be_suspended_for_one_of_several_signals_or_for_any",
        ]),
    ),
    ("BUG-26", "a crash among the before-stages is not seen", NotBuilt("stages inside stages: before")),
    (
        "BUG-27",
        "a pause does not hold, and going on does nothing",
        Tested(&["what_runs_goes_on_in_a_pause_and_what_follows_waits", "paused_nobody_starts_or_is_passed_by"]),
    ),
    ("BUG-28", "a pause counts against the time", Tested(&["a_deadline_stands_still_in_a_pause"])),
    (
        "BUG-29",
        "tasks and conditions see a part of the workflow",
        Tested(&["conditions_see_stages_inputs_trigger_and_workflow_by_name"]),
    ),
    ("BUG-30", "a multi-merge runs once", Tested(&["a_3_a_multi_merge_runs_once_for_each_branch"])),
    ("BUG-31", "a milestone does not wait", Tested(&["a_7_a_stage_waits_for_a_milestone_that_was_not_reached"])),
    (
        "BUG-32",
        "settings of instances are lost",
        Tested(&["a_9_instances_work_are_canceled_when_enough_are_done_and_may_be_added"]),
    ),
    ("BUG-33", "a loop names tasks that do not exist", Tested(&["a_8_a_loop_takes_its_turns"])),
    (
        "BUG-34",
        "what is inside sees nothing of what is around it",
        Tested(&["a_turn_sees_its_number_what_the_turn_before_gave_and_all_around_it"]),
    ),
    (
        "BUG-35",
        "an old outcome ends the next turn",
        Tested(&["the_outcome_of_an_attempt_before_the_newest_is_not_awaited"]),
    ),
    ("BUG-36", "a redirect without a target hangs", Tested(&["a_redirect_leads_nowhere_but_to_the_loop_around_it"])),
    (
        "BUG-37",
        "who waits behind a jump is not told",
        Tested(&["a_jump_over_a_join_leaves_what_waits_there_and_the_workflow_succeeds"]),
    ),
    ("BUG-38", "a jump out of what is inside leaves the parent", Tested(&["jumps_stay_in_the_turn_of_a_loop"])),
    ("BUG-39", "turns see old values", Tested(&["the_next_turn_sees_what_the_one_before_gave"])),
    (
        "BUG-40",
        "with which settings it was decided is not kept",
        Tested(&["a_condition_has_the_fuel_its_definition_was_registered_with"]),
    ),
    ("BUG-41", "settings without an effect", NotBuilt("cleanup_on_failure, finalizer_names; the others have theirs")),
    (
        "BUG-42",
        "failed attempts are not counted",
        Tested(&[
            "without_a_policy_a_transient_failure_is_tried_ten_times_in_all",
            "polls_and_lost_workers_do_not_count_as_tries",
        ]),
    ),
    (
        "BUG-43",
        "the delay that is asked for is ignored",
        Tested(&["a_delay_that_the_task_asks_for_wins_over_the_policy"]),
    ),
    ("BUG-44", "a verification repeats the work for ever", Tested(&["the_retry_of_a_verification_is_its_own"])),
    (
        "BUG-45",
        "how deep a workflow calls itself is not known",
        Tested(&[
            "a_call_that_goes_too_deep_fails_all_the_way_up",
            "recursion_ends_and_gives_its_outputs_also_a_hundred_deep",
        ]),
    ),
    (
        "BUG-46",
        "an error in a condition is one of the host",
        Tested(&["what_an_operator_is_not_made_for_is_an_error_with_its_place", "an_evaluation_ends_within_its_fuel"]),
    ),
    (
        "BUG-47",
        "events are written beside what they tell of",
        Tested(&[
            "nothing_is_seen_before_it_is_durable",
            "a_write_that_was_not_synced_is_there_in_whole_batches_or_not",
        ]),
    ),
    (
        "BUG-48",
        "events do not suffice to make the state anew",
        Tested(&["p1_folding_the_events_gives_the_state_that_decided_them"]),
    ),
    (
        "BUG-49",
        "what is shown of the past is what came before a jump",
        Tested(&["live_resumed_and_rebuilt_are_the_same"]),
    ),
    ("BUG-50", "only some of the past can be shown", Tested(&["any_moment_can_be_shown"])),
    ("BUG-51", "a subscriber misses events", Tested(&["everything_is_told_once_and_in_order_while_others_write"])),
    (
        "BUG-52",
        "figures count cancels as ends and going on as failure",
        Tested(&["a_failure_that_counts_as_done_completes_and_what_is_passed_by_does_not"]),
    ),
    (
        "BUG-53",
        "chance decides between outputs and branches",
        Tested(&["of_scalars_the_later_wins", "a_split_tries_its_conditions_in_the_written_order"]),
    ),
    (
        "BUG-54",
        "what is timed out runs on",
        Tested(&[
            "a_timed_out_attempt_ends_the_whole_group_and_keeps_what_it_left",
            "a_timed_out_attempt_is_over_whatever_it_answers",
        ]),
    ),
    (
        "BUG-55",
        "timers have a second of precision and no order",
        Tested(&[
            "timers_fire_by_moment_then_workflow_then_number",
            "deadlines_of_one_moment_pass_in_the_order_in_which_they_were_set",
        ]),
    ),
    ("BUG-56", "work of a lost worker waits for a sweep", Tested(&["a_lost_worker_is_replaced_at_once"])),
    ("BUG-57", "what is remembered grows without end", Tested(&["by_itself_a_workflow_remembers_256_commands"])),
    (
        "BUG-58",
        "an error loses its class and what it says on its way",
        Tested(&[
            "a_failed_attempt_leaves_its_context_to_the_next",
            "the_result_file_gives_another_outcome_of_a_program_that_ended_well",
        ]),
    ),
    ("BUG-59", "conditions that nothing reads", Foreign("not offered")),
    (
        "BUG-60",
        "the same message acts twice",
        Tested(&["a_repeated_command_acts_once_also_when_the_workflow_has_ended"]),
    ),
    ("BUG-61", "changes of one workflow overwrite each other", Tested(&["a_wrong_expectation_leaves_nothing"])),
    (
        "BUG-62",
        "what a name means changes between check and use",
        Tested(&["what_was_vetted_is_what_is_connected_to_whatever_the_name_means_a_moment_later"]),
    ),
    (
        "BUG-63",
        "recovery is not done unless asked for",
        Tested(&[
            "what_a_killed_engine_ran_waits_for_the_next_engine",
            "it_passes_the_suite_of_reopening_after_kills_and_after_power_cuts",
        ]),
    ),
    ("BUG-64", "engines of one process disturb each other", Foreign("nothing is shared by a process")),
    ("BUG-65", "a circuit opens after two failures", NotBuilt("circuit breakers")),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let functions: BTreeSet<&str> =
        tree.sources().iter().flat_map(|source| named_functions(&source.text).collect::<Vec<&str>>()).collect();
    let numbers = (1..=40).map(|number| format!("D{number}")).chain((1..=65).map(|number| format!("BUG-{number:02}")));
    let rows = SURROUNDINGS.iter().chain(&ENGINE);
    rows.zip(numbers).flat_map(|(row, number)| wrong(row, &number, &functions)).collect()
}

fn wrong((number, what, fate): &Row, expected: &str, functions: &BTreeSet<&str>) -> Vec<Finding> {
    let finding = |message: String| Finding::new(PATH, 1, "S44", message);
    let mut findings = Vec::new();
    if *number != expected {
        findings.push(finding(format!("{number} stands where {expected} belongs")));
    }
    match fate {
        Tested([]) => findings.push(finding(format!("{number}, {what}, names no test"))),
        Tested(names) => {
            let unknown = names.iter().filter(|name| !functions.contains(*name));
            findings.extend(unknown.map(|name| finding(format!("{number}, {what}: no test has the name `{name}`"))));
        }
        Foreign(why) | NotBuilt(why) if why.is_empty() => {
            findings.push(finding(format!("{number}, {what}, has no reason")));
        }
        Foreign(_) | NotBuilt(_) => (),
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_in_its_place_names_tests_that_exist_or_a_reason() {
        let known = BTreeSet::from(["it_holds"]);
        let found = |row: Row| wrong(&row, "D1", &known).len();
        assert_eq!(found(("D1", "x", Tested(&["it_holds"]))), 0);
        assert_eq!(found(("D2", "x", Tested(&["it_holds"]))), 1);
        assert_eq!(found(("D1", "x", Tested(&["it_holds", "gone"]))), 1);
        assert_eq!(found(("D1", "x", Tested(&[]))), 1);
        assert_eq!((found(("D1", "x", Foreign("no"))), found(("D1", "x", NotBuilt("")))), (0, 1));
    }
}
