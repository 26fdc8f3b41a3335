//! Mistakes, each with what is said of it and where.

use std::collections::BTreeSet;

use super::*;

/// A definition, and what is wrong with it as `LINE:COLUMN CODE`.
const MISTAKES: &[(&str, &[&str])] = &[
    ("", &["1:1 WRONG_TYPE"]),
    ("[a]", &["1:1 WRONG_TYPE"]),
    ("name: x", &["1:1 NO_STAGES"]),
    ("stages: {a: }", &["1:1 MISSING_KEY"]),
    ("{name: ' ', stages: {a: }}", &["1:8 BAD_VALUE"]),
    ("{name: 1.10, stages: {a: }}", &["1:8 WRONG_TYPE"]),
    ("{name: x, stages: }", &["1:17 WRONG_TYPE"]),
    ("{name: x, stages: {}}", &["1:19 NO_STAGES"]),
    ("{name: x, stages: {a: 5, b: {needs: [a]}}}", &["1:23 WRONG_TYPE"]),
    (
        "{name: x, stages: {a: }, finally: {}, on: {}, 'x-y': 1, y: 1}",
        &["1:35 NO_STAGES", "1:39 NOT_SUPPORTED", "1:57 UNKNOWN_KEY"],
    ),
    ("{name: x, type: batch, stages: {a: }}", &["1:17 BAD_VALUE"]),
    ("{name: x, type: orchestration, stages: {a: , b: }}", &["1:17 ONE_STAGE_ONLY"]),
    ("{name: x, priority: 10, stages: {a: {priority: -1}}}", &["1:21 OUT_OF_RANGE", "1:48 OUT_OF_RANGE"]),
    ("{name: x, start_time_expiry: soon, stages: {a: }}", &["1:30 BAD_INSTANT"]),
    (
        "{name: x, deadline: 90, scheduled_time: 2026-01-01, stages: {a: {deadline: 0s, scheduled_time: 3h}}}",
        &["1:21 BARE_NUMBER_DURATION", "1:41 BAD_INSTANT", "1:76 OUT_OF_RANGE", "1:96 BAD_INSTANT"],
    ),
    (
        "{name: x, stages: {a: {deadline: '${{ inputs.a }}', start_time_expiry: '${{ k }}'}}}",
        &["1:34 BAD_DURATION", "1:35 TEMPLATE_NOT_ALLOWED", "1:72 BAD_INSTANT", "1:73 TEMPLATE_NOT_ALLOWED"],
    ),
    ("{name: x, application: '${{ inputs.a }}', stages: {a: }}", &["1:25 TEMPLATE_NOT_ALLOWED"]),
    ("{name: x, name: y, stages: {a: }}", &["1:11 DUPLICATE_KEY"]),
    ("{name: x, stages: {a: {<<: {}}}}", &["1:24 MERGE_KEY"]),
    ("{name: x, stages: {a: {[b]: 1}}}", &["1:24 BAD_KEY"]),
    ("{name: x, stages: !t {a: }}", &["1:22 BAD_TAG"]),
    ("{name: x, stages: *s}", &["1:19 UNKNOWN_ANCHOR"]),
    ("{name: 007, stages: {a: }}", &["1:8 BAD_NUMBER"]),
    ("{name: x", &["1:1 SYNTAX_ERROR"]),
    ("name: x\n---\nname: y", &["2:1 SEVERAL_DOCUMENTS"]),
    // Stages.
    ("{name: x, stages: [{run: x}]}", &["1:20 MISSING_KEY"]),
    ("{name: x, stages: {a: {ref_id: b}}}", &["1:32 CONFLICTING_KEYS"]),
    ("{name: x, stages: [{ref_id: a}, {ref_id: a}]}", &["1:42 DUPLICATE_STAGE"]),
    ("{name: x, stages: {a b: , -a: , \"\": }}", &["1:20 BAD_NAME", "1:27 BAD_NAME", "1:33 BAD_NAME"]),
    ("{name: x, stages: {a: {needs: b}}}", &["1:31 WRONG_TYPE"]),
    (
        "{name: x, stages: {a: {needs: [a, b, b], neds: []}}}",
        &["1:32 NEEDS_ITSELF", "1:35 UNKNOWN_STAGE", "1:38 DUPLICATE_REFERENCE", "1:42 UNKNOWN_KEY"],
    ),
    ("{name: x, stages: {a: {needs: [b]}, b: {needs: [c]}, c: {needs: [b]}}}", &["1:37 CYCLE_WITHOUT_BACK_EDGE"]),
    ("{name: x, stages: {a: {if: x, stageEnabled: y}}}", &["1:31 KEY_AND_ALIAS"]),
    ("{name: x, stages: {a: {needs: [], requisite_stage_ref_ids: []}}}", &["1:35 KEY_AND_ALIAS"]),
    (
        "{name: x, stages: {a: {compensate: x, trigger: 1s, finalizer_names: {}, before: {}}}}",
        &["1:36 WRONG_TYPE", "1:48 WRONG_TYPE", "1:52 NOT_SUPPORTED", "1:81 NO_STAGES"],
    ),
    ("{name: x, stages: {a: {join_type: N_OF_M, split_type: later}}}", &["1:35 MISSING_KEY", "1:55 BAD_VALUE"]),
    ("{name: x, stages: {a: {split_type: DEFERRED}, b: {needs: [a]}}}", &["1:20 CHOICE_OF_ONE"]),
    (
        "{name: x, stages: {a: {deferred_choice_group: g}, b: {needs: [a], deferred_choice_group: g}}}",
        &["1:90 CHOICE_WITHOUT_SPLIT"],
    ),
    (
        "{name: x, stages: {a: {deferred_choice_group: g}, b: {if: 'k', deferred_choice_group: g}}}",
        &["1:51 ALTERNATIVE_HELD_BACK"],
    ),
    (
        "{name: x, stages: {a: {split_type: DEFERRED}, b: {split_type: DEFERRED}, c: {needs: [a, b]}, d: {needs: [a, b], join_type: XOR}}}",
        &["1:74 ALTERNATIVE_OF_TWO"],
    ),
    ("{name: x, leftover_tokens: keep, stages: {a: {reentry: never}}}", &["1:28 BAD_VALUE", "1:56 BAD_VALUE"]),
    ("{name: x, stages: {a: {split_type: OR}, b: {needs: [a]}}}", &["1:36 MISSING_KEY"]),
    ("{name: x, stages: {a: {join_type: XOR, back_from: [z]}}}", &["1:52 UNKNOWN_STAGE"]),
    (
        "{name: x, stages: {a: {join_type: XOR, back_from: [{max_iterations: 0}, 1]}}}",
        &["1:52 MISSING_KEY", "1:69 OUT_OF_RANGE", "1:73 WRONG_TYPE"],
    ),
    ("{name: x, stages: {a: , b: {needs: [a], join_type: XOR, back_from: [a]}}}", &["1:69 DUPLICATE_REFERENCE"]),
    ("{name: x, stages: {a: {back_from: [b]}, b: {needs: [a]}}}", &["1:20 CYCLE_OF_AND_JOINS"]),
    ("{name: x, stages: {a: {back_from: [a]}}}", &["1:20 CYCLE_OF_AND_JOINS"]),
    ("{name: x, stages: {a: , b: {needs: [a, c]}, c: {needs: [b]}}}", &["1:25 CYCLE_WITHOUT_BACK_EDGE"]),
    (
        "{name: x, stages: {a: {split_type: OR, split_conditions: {b: x}, split_order: [b]}, b: {needs: [a]}}}",
        &["1:66 CONFLICTING_KEYS"],
    ),
    ("{name: x, stages: {a: {join_type: all, on_failure: ignore}}}", &["1:35 BAD_VALUE", "1:52 BAD_VALUE"]),
    // Other workflows as work.
    (
        "{name: x, definitions: {d: {name: d, definitions: {}, stages: {b: }}}, stages: {a: {sub_workflow: {definition: e}}}}",
        &["1:38 CONFLICTING_KEYS", "1:112 UNKNOWN_DEFINITION"],
    ),
    ("{name: x, stages: {a: {run: x, sub_workflow: {}}}}", &["1:24 CONFLICTING_KEYS", "1:46 MISSING_KEY"]),
    (
        "{name: x, stages: {a: {sub_workflow: {definition: ./f.yaml, version: 1}}}}",
        &["1:51 BAD_DEFINITION_FILE", "1:61 NOT_SUPPORTED"],
    ),
    ("{name: x, stages: {a: {sub_workflow: {definition: $self}}}}", &["1:1 NO_BASE_CASE"]),
    (
        "{name: x, definitions: {d: {name: d, stages: {b: {sub_workflow: {definition: d}}}}}, stages: {a: }}",
        &["1:28 NO_BASE_CASE"],
    ),
    // Cancellation and ends.
    (
        "{name: x, stages: {a: {cancels: [{stage: a}, {stage: b}, {mi: a}, {}, {workflow: false}]}}}",
        &[
            "1:42 CANCELS_ITSELF",
            "1:54 UNKNOWN_STAGE",
            "1:63 CANCELS_ITSELF",
            "1:63 NO_INSTANCES",
            "1:67 MISSING_KEY",
            "1:82 BAD_VALUE",
        ],
    ),
    (
        "{name: x, stages: {a: {cancels: all, cancel_on: [{completed: a}, {timer: 0s}, {timer: 1s}]}}}",
        &["1:33 BAD_VALUE", "1:62 CANCELS_ITSELF", "1:74 OUT_OF_RANGE", "1:79 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: , b: {cancels: [{stage: a}, {stage: a}, {stage: a, workflow: true}], cancel_on: [{signal: s}]}}}",
        &["1:51 DUPLICATE_REFERENCE", "1:63 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, regions: {r: {}, s: {effect: all}}, stages: {a: {cancels: [{region: t}], cancel_region: [r, r, 's s']}}}",
        &[
            "1:28 UNKNOWN_REGION",
            "1:40 BAD_VALUE",
            "1:79 UNKNOWN_REGION",
            "1:103 DUPLICATE_REFERENCE",
            "1:106 BAD_NAME",
        ],
    ),
    (
        "{name: x, stages: {a: {on_cancelled: b}, b: {on_cancelled: b}, c: {on_cancelled: e}}}",
        &["1:60 NEEDS_ITSELF", "1:82 UNKNOWN_STAGE"],
    ),
    ("{name: x, stages: {a: , b: {needs: [a], on_cancelled: a}}}", &["1:20 CYCLE_WITHOUT_BACK_EDGE"]),
    (
        "{name: x, stages: {a: {interleave: {group: g}, mi_config: {count: 2}}, b: {interleave: {group: g}}}}",
        &["1:24 CONFLICTING_KEYS"],
    ),
    ("{name: x, stages: {a: {cancel_timeout: 5s}}}", &["1:40 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {cancel_mode: try, cancel_timeout: 5s}}}", &["1:58 CONFLICTING_KEYS"]),
    (
        "{name: x, stages: {a: {cancel_mode: never, cancel_timeout: 5}}}",
        &["1:37 BAD_VALUE", "1:60 BARE_NUMBER_DURATION"],
    ),
    ("{name: x, stages: {a: {cancel_mode: wait, cancel_timeout: 0s}}}", &["1:59 OUT_OF_RANGE"]),
    ("{name: x, stages: {a: {cancels: workflow, end: terminate}}}", &["1:48 CONFLICTING_KEYS"]),
    ("{name: x, termination: explicit, stages: {a: }}", &["1:24 NOT_ON_PATH"]),
    (
        "{name: x, termination: explicit, stages: {a: , b: {needs: [a], end: terminate}, c: {needs: [a]}}}",
        &["1:81 NOT_ON_PATH"],
    ),
    // Loops.
    (
        "{name: x, stages: {a: {loop: {while: x, until: y, stages: {b: }}, run: x}}}",
        &["1:41 CONFLICTING_KEYS", "1:67 CONFLICTING_KEYS"],
    ),
    ("{name: x, stages: {a: {loop: {}}}}", &["1:30 MISSING_KEY", "1:30 NO_STAGES"]),
    (
        "{name: x, stages: {a: {loop: {while: x, max_iterations: 0, test: mid, stages: {a: }}}}}",
        &["1:57 OUT_OF_RANGE", "1:66 BAD_VALUE", "1:80 DUPLICATE_STAGE"],
    ),
    (
        "{name: x, stages: {o: , a: {needs: [o], loop: {while: x, stages: {b: {needs: [o]}, c: {needs: [a]}}}}, d: {needs: [b]}}}",
        &["1:79 CROSSES_BLOCK", "1:96 CROSSES_BLOCK", "1:116 CROSSES_BLOCK"],
    ),
    (
        "{name: x, stages: {a: {loop: {while: stages.b.outputs.k, stages: {b: {if: stages.a.status == 'x'}}}}, d: {needs: [a], if: stages.b.outputs.k}}}",
        &["1:38 NOT_AN_ANCESTOR", "1:75 NOT_AN_ANCESTOR", "1:123 NOT_AN_ANCESTOR"],
    ),
    // Exclusion.
    (
        "{name: x, critical_sections: [{mutex_key: k, sections: {s: [a, c], t: [a]}}], stages: {a: , b: {needs: [a]}, c: }}",
        &["1:72 SECTIONS_OVERLAP"],
    ),
    (
        "{name: x, critical_sections: [{mutex_key: k, sections: {s: [a, c]}}], stages: {a: , b: {needs: [a]}, c: }}",
        &["1:64 SECTION_NOT_CONNECTED"],
    ),
    (
        "{name: x, critical_sections: [{mutex_key: k, sections: {s: [a]}}, {mutex_key: l, sections: {t: [b]}}], \
         stages: {a: {mutex_key: l}, b: {mutex_key: k}}}",
        &["1:128 LOCK_CYCLE", "1:147 LOCK_CYCLE"],
    ),
    (
        "{name: x, stages: {a: {interleave: {group: g, order: any}}, b: {needs: [a], join_type: XOR, back_from: [c], \
         interleave: {group: g, order: any}}, c: {needs: [b]}}}",
        &["1:129 INTERLEAVED_NOT_ONCE", "1:129 INTERLEAVED_IN_ORDER"],
    ),
    // Instances.
    (
        "{name: x, stages: {a: {mi_config: {count: 1}, for_each: [1]}, b: {for_each: [1], matrix: {a: [1]}}}}",
        &["1:47 CONFLICTING_KEYS", "1:82 CONFLICTING_KEYS"],
    ),
    ("{name: x, stages: {a: {mi_config: {count: 0}}}}", &["1:43 OUT_OF_RANGE"]),
    (
        "{name: x, stages: {a: {mi_config: {}}, b: {mi_config: {allow_dynamic: true}}}}",
        &["1:35 MISSING_KEY", "1:55 MISSING_KEY"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 2, count_from_context: n, emit: per_instance, sequential: 1}}}}",
        &["1:46 CONFLICTING_KEYS", "1:75 CONFLICTING_KEYS", "1:101 WRONG_TYPE"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 1, cancel_mi_on: [{timer: 1h}, {timer: 2h}, {}, {completed: a}]}}}}",
        &["1:74 CONFLICTING_KEYS", "1:87 MISSING_KEY", "1:103 CANCELS_ITSELF"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 1, complete_mi_on: [{signal: s}, {signal: s}, {completed: b}]}}}}",
        &["1:76 DUPLICATE_REFERENCE", "1:101 UNKNOWN_STAGE"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {allow_dynamic: true, cancel_mi_on: [{signal: s}], dynamic_close_on: {signal: s}}}}}",
        &["1:104 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 1, sync_on_complete: false, cancel_mi_on: [{signal: 'a b'}], dynamic_close_on: {signal: s}}}}}",
        &["1:71 CONFLICTING_KEYS", "1:95 BAD_NAME", "1:104 CONFLICTING_KEYS", "1:104 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: {loop: {while: item, stages: {b: {if: index}}}}}}",
        &["1:38 UNKNOWN_NAME", "1:61 UNKNOWN_NAME"],
    ),
    ("{name: x, stages: {a: , b: {needs: [a], cancels: [{complete_mi: a}]}}}", &["1:65 NO_INSTANCES"]),
    (
        "{name: x, stages: {a: {mi_config: {count: 5, max_instances: 3, min_instances: 4}}}}",
        &["1:43 CROSSED_BOUNDS", "1:79 CROSSED_BOUNDS"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 2, join_threshold: 1, completion_condition: done}}}}",
        &["1:65 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 2, sync_on_complete: false, cancel_remaining: true, allow_dynamic: true}}}}",
        &["1:71 CONFLICTING_KEYS", "1:95 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: {mi_config: {count: 2, cancel_remaining: true, close_when: done}}}}",
        &["1:46 CONFLICTING_KEYS", "1:70 CONFLICTING_KEYS"],
    ),
    (
        "{name: x, stages: {a: {for_each: items}, b: {matrix: {}}, c: {matrix: {'a b': 1}}}}",
        &["1:34 WRONG_TYPE", "1:54 BAD_VALUE", "1:72 BAD_NAME", "1:79 WRONG_TYPE"],
    ),
    (
        "{name: x, stages: {a: {run: 'echo ${{ item }}'}, b: {for_each: [1], if: item, run: 'echo ${{ matrix.a }}'}}}",
        &["1:39 UNKNOWN_NAME", "1:73 UNKNOWN_NAME", "1:94 UNKNOWN_NAME"],
    ),
    (
        "{name: x, stages: {a: {matrix: {cc: [1]}, run: 'echo ${{ matrix.opt }} ${{ mi.total }}'}}}",
        &["1:58 UNKNOWN_NAME", "1:76 UNKNOWN_NAME"],
    ),
    ("{name: x, stages: {a: {mi_config: {count: 1, completion_condition: mi.all}}}}", &["1:68 UNKNOWN_NAME"]),
    // Jumps.
    (
        "{name: x, stages: {a: {jump_targets: [z, b, b, {max_iterations: 1}]}, b: {jump_mode: move}}}",
        &["1:39 UNKNOWN_STAGE", "1:45 DUPLICATE_REFERENCE", "1:48 MISSING_KEY", "1:75 MISSING_KEY"],
    ),
    (
        "{name: x, stages: {a: {jump_targets: all}, b: {jump_targets: any, jump_mode: fly}}}",
        &["1:38 WRONG_TYPE", "1:78 BAD_VALUE"],
    ),
    (
        "{name: x, stages: {a: {jump_targets: [y], loop: {while: x, stages: {y: }}}}}",
        &["1:24 CONFLICTING_KEYS", "1:39 CROSSES_BLOCK"],
    ),
    ("{name: x, stages: {a: {mi_config: {count: 2}, jump_targets: [a]}}}", &["1:47 CONFLICTING_KEYS"]),
    // Splits.
    ("{name: x, stages: {a: {split_default: b}, b: {needs: [a]}}}", &["1:24 SPLIT_FIELD_WITHOUT_SPLIT"]),
    ("{name: x, stages: {a: {split_type: XOR}, b: {needs: [a]}}}", &["1:36 MISSING_KEY"]),
    (
        "{name: x, stages: {a: {split_type: XOR, split_conditions: {b: x, c: y, d: z}}, b: {needs: [a]}, c: {}}}",
        &["1:66 NOT_A_SUCCESSOR", "1:72 UNKNOWN_STAGE"],
    ),
    (
        "{name: x, stages: {a: {split_type: XOR, split_conditions: {b: x}}, b: {needs: [a]}, c: {needs: [a]}}}",
        &["1:36 BRANCH_NEVER_TAKEN"],
    ),
    (
        "{name: x, stages: {a: {split_type: XOR, split_conditions: {b: x, $end: y}, split_order: [b, c]}, b: {needs: [a]}}}",
        &["1:89 SPLIT_ORDER_INCOMPLETE", "1:93 SPLIT_ORDER_INCOMPLETE"],
    ),
    (
        "{name: x, stages: {a: {split_type: XOR, split_conditions: {b: x}, split_default: $end, on_no_match: fail}, b: {needs: [a]}}}",
        &["1:101 CONFLICTING_KEYS"],
    ),
    // Tasks.
    ("{name: x, stages: {a: {run: x, uses: y}}}", &["1:32 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {with: {}}}}", &["1:24 MISSING_KEY"]),
    ("{name: x, stages: {a: {uses: shell}}}", &["1:24 MISSING_KEY"]),
    ("{name: x, stages: {a: {run: x, with: {command: y}}}}", &["1:39 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {run: x, tasks: [{run: y}]}}}", &["1:24 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {tasks: []}}}", &["1:31 BAD_VALUE"]),
    (
        "{name: x, stages: {a: {tasks: [{name: b}, {name: c, run: x}, {name: c, run: x, verification: x}]}}}",
        &["1:32 MISSING_KEY", "1:69 DUPLICATE_TASK", "1:94 WRONG_TYPE"],
    ),
    (
        "{name: x, stages: {a: {tasks: [{run: x, loop_start: x}, {run: y, loop_end: true}, \
         {run: z, loop_start: true}, {run: w, loop_start: true}]}}}",
        &["1:53 WRONG_TYPE", "1:66 LOOP_OF_TASKS", "1:120 LOOP_OF_TASKS"],
    ),
    (
        "{name: x, stages: {a: {run: x, timeout: 5, retry: {initial: '5', max: 5x}}}}",
        &["1:41 BARE_NUMBER_DURATION", "1:61 BARE_NUMBER_DURATION", "1:71 BAD_DURATION"],
    ),
    (
        "{name: x, stages: {a: {run: x, timeout: 0s, retry: {factor: 0.9, jitter: 2, initial: 2s, max: 1s}}}}",
        &["1:41 OUT_OF_RANGE", "1:61 OUT_OF_RANGE", "1:74 OUT_OF_RANGE", "1:95 CROSSED_BOUNDS"],
    ),
    (
        "{name: x, stages: {a: {run: x, env: {A B: 1, STABILIZE_TASK: 2, C: []}}}}",
        &["1:38 BAD_NAME", "1:46 BAD_NAME", "1:68 WRONG_TYPE"],
    ),
    ("{name: x, stages: {a: {outputs: {a b: 1}}}}", &["1:34 BAD_NAME"]),
    // Inputs.
    (
        "{name: x, inputs: {a: {}, b: {type: int}, c: string}, stages: {a: }}",
        &["1:23 MISSING_KEY", "1:37 BAD_VALUE", "1:46 WRONG_TYPE"],
    ),
    (
        "{name: x, inputs: {a: {type: integer, default: x}, b: {type: string, pattern: '('}}, stages: {a: }}",
        &["1:48 BAD_DEFAULT", "1:79 BAD_PATTERN"],
    ),
    (
        "{name: x, inputs: {a: {type: boolean, min: 1}, b: {type: integer, min: 2, max: 1}}, stages: {a: }}",
        &["1:44 CONFLICTING_KEYS", "1:80 CROSSED_BOUNDS"],
    ),
    (
        "{name: x, inputs: {a: {type: integer, enum: [1, x], max: 0}}, stages: {a: }}",
        &["1:46 BAD_CHOICE", "1:49 BAD_CHOICE"],
    ),
    // Expressions.
    ("{name: x, stages: {a: {if: 'a +', run: 'echo ${{ (b }}'}}}", &["1:31 BAD_EXPRESSION", "1:52 BAD_EXPRESSION"]),
    (
        "{name: x, stages: {a: {if: 'x ${{ y }}', run: 'echo ${{ b'}}}",
        &["1:31 TEMPLATE_NOT_ALLOWED", "1:53 UNCLOSED_EXPRESSION"],
    ),
    (
        "name: x\nstages:\n  a:\n    run: |\n      echo '${{ k }}'\n      cat <<'E'\n      ${{ k }}\n      E\n      : $((${{ k }}))\n      eval ${{ k }}\n",
        &[
            "5:13 TEMPLATE_IN_SINGLE_QUOTES",
            "7:7 TEMPLATE_IN_QUOTED_HERE_DOCUMENT",
            "9:12 TEMPLATE_IN_ARITHMETIC",
            "10:12 TEMPLATE_IN_SHELL_SYNTAX",
        ],
    ),
    ("{name: x, stages: {a: {run: 'echo ${{ k }}', shell: python}}}", &["1:35 TEMPLATE_IN_SHELL_SYNTAX"]),
    ("{name: x, stages: {a: {run: 'echo ${{ k }}', with: {shell: fish}}}}", &["1:35 TEMPLATE_IN_SHELL_SYNTAX"]),
    ("{name: x, stages: {a: {tasks: [{uses: 5}]}}}", &["1:39 WRONG_TYPE"]),
    ("{name: x, stages: {a: {uses: t, with: {'${{ k }}': 1}}}}", &["1:40 TEMPLATE_NOT_ALLOWED"]),
    (
        "{name: 'x ${{ inputs.a }} ${{ k }} ${{ stages.a.status }}', stages: {a: }}",
        &["1:15 UNKNOWN_INPUT", "1:31 UNKNOWN_NAME", "1:40 UNKNOWN_NAME"],
    ),
    (
        "{name: x, outputs: {a: '${{ workflow.nam }}', b: '${{ workflow.status }}', c: '${{ trigger.usr }}'}, stages: {a: }}",
        &["1:29 UNKNOWN_NAME", "1:55 UNKNOWN_NAME", "1:84 UNKNOWN_NAME"],
    ),
    (
        "{name: x, stages: {a: {if: 'stages.b.status == 1'}, b: {if: 'stages.b.status'}, c: {if: 'stages.d.status'}}}",
        &["1:29 NOT_AN_ANCESTOR", "1:62 NOT_AN_ANCESTOR", "1:90 UNKNOWN_STAGE"],
    ),
    ("{name: x, stages: {a: {needs: [zz], if: 'stages.b.status'}, b: }}", &["1:32 UNKNOWN_STAGE"]),
    (
        "{name: x, stages: {a: , b: {needs: [a], if: 'stages.a.output.x and stages[k] and stages.a.error.cod'}}}",
        &["1:46 UNKNOWN_NAME", "1:68 UNKNOWN_NAME", "1:82 UNKNOWN_NAME"],
    ),
    (
        "{name: x, stages: {a: {if: 'tasks.t.status', tasks: [{name: t, run: x, if: 'tasks.u.status'}, {name: u, run: x, if: 'tasks.t.statu'}]}}}",
        &["1:29 UNKNOWN_NAME", "1:77 NOT_AN_EARLIER_TASK", "1:118 UNKNOWN_NAME"],
    ),
    (
        "{name: x, stages: {a: {if: 'item or secrets.x or matrix.y or loop.index or mi.total or signal.name', run: x}}}",
        &[
            "1:29 UNKNOWN_NAME",
            "1:37 SECRET_NOT_ALLOWED",
            "1:50 UNKNOWN_NAME",
            "1:62 UNKNOWN_NAME",
            "1:76 UNKNOWN_NAME",
            "1:88 UNKNOWN_NAME",
        ],
    ),
    (
        "{name: x, stages: {a: {run: 'echo ${{ env.A }} ${{ env.B }}', env: {A: '${{ env.B }}', B: '${{ task.x }}'}, context: {a: '${{ task.name }}'}}}}",
        &["1:77 UNKNOWN_NAME", "1:96 UNKNOWN_NAME", "1:127 UNKNOWN_NAME"],
    ),
];

pub(super) fn said(problems: &Problems) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {}", problem.span(), problem.code())).collect()
}

#[test]
fn every_mistake_is_said_with_its_place() {
    for (text, expected) in MISTAKES {
        assert_eq!(said(&refuse(text)), *expected, "{text}");
    }
}

#[test]
fn every_kind_of_mistake_has_an_example() {
    let shown: BTreeSet<&str> =
        MISTAKES.iter().flat_map(|(_, said)| said.iter()).filter_map(|said| said.split(' ').nth(1)).collect();
    // Those of size have tests of their own, as have files and doubts.
    let elsewhere = BTreeSet::from([
        "UNREADABLE_FILE",
        "DOCUMENT_TOO_LARGE",
        "TOO_DEEP",
        "TOO_MANY_ALIASES",
        "TOO_MANY_STAGES",
        "TOO_MANY_ARCS",
        "TOO_MANY_TASKS",
        "OUTPUT_MAY_BE_MISSING",
        "JOIN_NEVER_FIRES",
        "PARALLEL_WRITERS",
        "NEVER_STARTS",
        "JOIN_FIELD_WITHOUT_JOIN",
        "THRESHOLD_TOO_LARGE",
        "WRONG_JOIN_PAIR",
        "NOT_STRUCTURED",
        "OPEN_CANCEL_SCOPE",
        "MERGE_OF_SEVERAL_ARCS",
        "JOIN_BLOCKS",
        "LOOP_IN_ACYCLIC_CONE",
        "PARTIAL_CANCEL_IN_STRUCTURED_REGION",
    ]);
    for code in ProblemCode::ALL {
        assert!(shown.contains(code.name()) != elsewhere.contains(code.name()), "{code}");
        assert!(!code.cure().is_empty(), "{code}");
        assert!(code.meaning().ends_with('.') && !code.meaning().starts_with(' '), "{code}");
    }
}

/// More stages that run something.
fn more(count: usize) -> String {
    (1..count).map(|index| format!(", s{index}: {{run: x}}")).collect()
}

#[test]
fn limits_of_size_are_problems() {
    use crate::limits::{STAGES_MAX, TASKS_PER_STAGE_MAX};
    let stages = |count: usize| (0..count).map(|index| format!("s{index}: ,")).collect::<String>();
    assert_eq!(
        said(&refuse(&format!("{{name: x, stages: {{{}}}}}", stages(STAGES_MAX + 1)))),
        ["1:19 TOO_MANY_STAGES"]
    );
    let large = "x".repeat(1_000_000);
    let written_out =
        format!("{{name: x, env: {{A: {large}}}, stages: {{{}}}}}", "s0: {run: x}".to_owned() + &more(12));
    assert_eq!(said(&refuse(&written_out)), ["1:1 DOCUMENT_TOO_LARGE"]);
    let copied = format!("{{name: x, env: {{A: {large}}}, stages: {{{}}}}}", "s0: {run: x}".to_owned() + &more(2_000));
    assert_eq!(said(&refuse(&copied)), ["1:1 DOCUMENT_TOO_LARGE"]);
    let tasks = "{run: x},".repeat(TASKS_PER_STAGE_MAX + 1);
    assert_eq!(said(&refuse(&format!("{{name: x, stages: {{a: {{tasks: [{tasks}]}}}}}}"))), ["1:31 TOO_MANY_TASKS"]);
}

const TEN_MISTAKES: &str = "\
name: release
inputs: { ref: { type: strng } }
stages:
  checkout:
    run: git checkout '${{ inputs.ref }}'
  lint:
    need: [checkout]
    run: make lint
    timeout: 90
  test:
    needs: [chekout]
    finalizer_names: [x]
    if: changed + 1
  pack:
    needs: [test]
    run: tar c ${{ stages.lint.outputs.files }}
    retry: { max_attempts: 0 }
  pack2:
    needs: [pack]
    uses: http
    run: make
    priority: 11
";
const TEN_PROBLEMS: &str = r#"release.yaml:2:24: error[BAD_VALUE]: `strng` is no type of input
  |
2 | inputs: { ref: { type: strng } }
  |                        ^^^^^
  = help: did you mean `string`?
  = see docs/ERRORS.md#bad_value

release.yaml:5:24: error[TEMPLATE_IN_SINGLE_QUOTES]: `${{` inside single quotes, where the shell reads no variable
  |
5 |     run: git checkout '${{ inputs.ref }}'
  |                        ^^^
  = help: put it into env: and read the variable there, as in env: { NAME: "${{ x }}" } and "$NAME"
  = see docs/ERRORS.md#template_in_single_quotes

release.yaml:7:5: error[UNKNOWN_KEY]: unknown key `need` in a stage
  |
7 |     need: [checkout]
  |     ^^^^
  = help: did you mean `needs`?
  = see docs/ERRORS.md#unknown_key

release.yaml:9:14: error[BARE_NUMBER_DURATION]: timeout has no unit
  |
9 |     timeout: 90
  |              ^^
  = help: write 90s for seconds, 90ms for milliseconds
  = see docs/ERRORS.md#bare_number_duration

release.yaml:11:13: error[UNKNOWN_STAGE]: there is no stage `chekout`
   |
11 |     needs: [chekout]
   |             ^^^^^^^
   = help: did you mean `checkout`?
   = see docs/ERRORS.md#unknown_stage

release.yaml:12:5: error[NOT_SUPPORTED]: `finalizer_names` is not supported yet
   |
12 |     finalizer_names: [x]
   |     ^^^^^^^^^^^^^^^
   = help: leave it out; a later version will have it
   = see docs/ERRORS.md#not_supported

release.yaml:13:17: error[BAD_EXPRESSION]: this is no expression: arithmetic operators are not supported in expressions
   |
13 |     if: changed + 1
   |                 ^
   = help: write names, literals, comparisons, and, or, not, in, is; nothing is called
   = see docs/ERRORS.md#bad_expression

release.yaml:17:28: error[OUT_OF_RANGE]: max_attempts is 0, not a number from 1 to 4294967295
   |
17 |     retry: { max_attempts: 0 }
   |                            ^
   = help: write a value within the range
   = see docs/ERRORS.md#out_of_range

release.yaml:20:5: error[CONFLICTING_KEYS]: `uses` beside `run`, which is a shell task
   |
20 |     uses: http
   |     ^^^^
   = help: keep one of the two keys
   = see docs/ERRORS.md#conflicting_keys

release.yaml:22:15: error[OUT_OF_RANGE]: priority is 11, not a number from 0 to 9
   |
22 |     priority: 11
   |               ^^
   = help: write a value within the range"#;
#[test]
fn ten_mistakes_are_ten_problems_with_line_and_hint() {
    let problems = refuse(TEN_MISTAKES).in_file("release.yaml");
    assert_eq!(problems.len(), 10);
    assert_eq!(problems.to_string(), TEN_PROBLEMS);
}

#[test]
fn text_inside_braces_without_quotes_gets_its_hint() {
    for text in [
        "name: x\nstages:\n  a: { run: echo ${{ x }} }\n",
        "name: x\nstages: { a: { if: ${{ x }}, run: x } }\n",
        "name: x\nstages:\n  a: {\n    # it's\n    run: echo ${{ x }},\n    needs: [],\n  }\n",
        "name: x\nstages:\n  a:\n    uses: t\n    with: { l: [a, ${{ x }}] }\n",
    ] {
        let problems = refuse(text);
        let said: Vec<_> = problems.iter().map(|problem| (problem.code(), problem.help().unwrap_or(""))).collect();
        assert!(
            matches!(said[..], [(ProblemCode::SyntaxError, help)] if help.starts_with("put the text in quotes")),
            "{said:?}"
        );
        let bytes = problems.iter().next().unwrap().span().bytes().unwrap();
        assert_eq!(text.get(bytes), Some("${{"), "{text}");
    }
    for text in ["name: x\nstages:\n  a:\n    run: echo ${{ x }}\n  b: [\n", "a: \"{ ${{ x }}\"\nb: ]\n"] {
        let problems = refuse(text);
        let quotes = |problem: &Problem| problem.help().is_some_and(|help| help.starts_with("put the text in quotes"));
        assert!(!problems.iter().any(quotes), "{problems}");
    }
}

#[test]
fn a_problem_cannot_steer_a_terminal_and_long_lines_are_cut() {
    let problems = refuse("name: \"x\u{1b}[2J\"\nstages: {a: {\"k\\e[2J\": 1}}\n");
    assert!(!problems.to_string().contains('\u{1b}'), "{problems}");
    let long = format!("{{name: x, x-y: \"{}\", stages: {{a: {{neds: 1}}}}}}", "é".repeat(5_000));
    let shown = refuse(&long).to_string();
    assert!(shown.lines().all(|line| line.chars().count() < 250), "{shown}");
    assert!(shown.contains("neds: 1}"), "{shown}");
}
