//! What the keys of a definition mean for its graph.

use super::*;
use crate::expression::Scope;
use crate::time::Duration;

#[test]
fn arcs_follow_the_needs_in_definition_order() {
    let definition = read("{name: x, stages: {a: {}, b: {needs: [a]}, c: {needs: [a]}, d: {needs: [c, b]}}}");
    let graph = definition.graph();
    let arcs: Vec<_> = graph.arcs.iter().map(|arc| (arc.from.map(|from| from.get()), arc.to.get())).collect();
    assert_eq!(arcs, [(None, 0), (Some(0), 1), (Some(0), 2), (Some(2), 3), (Some(1), 3)]);
    let outgoing: Vec<u32> = graph.stages[0].outgoing.iter().map(|arc| arc.get()).collect();
    assert_eq!(outgoing, [1, 2]);
    let last = graph.stage_index("d").unwrap();
    let ancestors: Vec<u32> = graph.ancestors(last).iter().map(|stage| stage.get()).collect();
    assert_eq!(ancestors, [0, 1, 2]);
    let incoming: Vec<u32> = graph.stages[3].incoming.iter().map(|arc| arc.get()).collect();
    assert_eq!(incoming, [3, 4]);
}

#[test]
fn a_split_tries_its_conditions_in_the_written_order() {
    let graph = read(EVERYTHING).graph().clone();
    let stage = graph.stage(graph.stage_index("pack").unwrap());
    let Split::Xor { branches, default } = &stage.split else { panic!("{:?}", stage.split) };
    let target = |target: &Target| match target {
        Target::Arc(arc) => graph.stage(graph.arc(*arc).to).ref_id.clone(),
        Target::End => "$end".to_owned(),
    };
    let order: Vec<String> = branches.iter().map(|branch| target(&branch.target)).collect();
    assert_eq!(order, ["slow", "fast", "$end"]);
    assert_eq!(default.as_ref().map(target).as_deref(), Some("slow"));
    assert_eq!(stage.on_condition_error, OnConditionError::False);
    let unordered = read(
        "{name: x, stages: {a: {split_type: XOR, split_conditions: {c: x, b: y}}, b: {needs: [a]}, c: {needs: [a]}}}",
    );
    let Split::Xor { branches, default: None } = &unordered.graph().stages[0].split else { panic!() };
    assert_eq!(branches.iter().map(|branch| branch.condition.text()).collect::<Vec<_>>(), ["x", "y"]);
}

fn task<'d>(definition: &'d Definition, stage: &str, task: &str) -> &'d GraphTask {
    let graph = definition.graph();
    let stage = graph.stage(graph.stage_index(stage).unwrap());
    stage.tasks.iter().find(|other| other.name == task).unwrap()
}

#[test]
fn the_inner_level_wins_and_env_is_laid_over_each_other() {
    let definition = read(EVERYTHING);
    let unit = task(&definition, "test", "unit");
    let env: Vec<String> = unit
        .env
        .iter()
        .map(|(name, value)| {
            format!("{name}={}", value.as_ref().map_or("-".to_owned(), |value| value.written().to_json()))
        })
        .collect();
    assert_eq!(env, ["CI=true", "GONE=-", "HOME=-", "SHARED=\"task\"", "STAGE=\"${{ stage.ref_id }}\""]);
    assert_eq!(unit.shell.as_deref(), Some("/bin/dash"));
    assert_eq!(unit.timeout, Duration::from_seconds(600));
    assert_eq!((unit.retry.max_attempts, unit.on_failure), (1, OnFailure::Stop));

    let http = task(&definition, "test", "http-3");
    assert_eq!(http.shell.as_deref(), Some("sh"));
    assert_eq!(http.timeout, Duration::from_seconds(1_200));
    assert_eq!((http.retry.max_attempts, http.on_failure), (2, OnFailure::FailAtEnd));

    let lint = task(&definition, "lint", "shell");
    assert_eq!(lint.shell.as_deref(), Some("bash"));
    assert_eq!(lint.timeout, Duration::from_seconds(5_400));
    assert_eq!((lint.retry.max_attempts, lint.on_failure), (4, OnFailure::Continue));
    assert_eq!(definition.graph().stages[1].priority, 7);
    assert_eq!(definition.graph().stages[2].priority, 9);
}

#[test]
fn a_retry_that_the_author_wrote_also_retries_timeouts_and_exits() {
    let definition =
        read("{name: x, stages: {a: {run: x}, b: {run: x, retry: {}}, c: {run: x, retry: {initial: 5m}}}}");
    let retry = |stage: usize| definition.graph().stages[stage].tasks[0].retry.clone();
    let default = RetryPolicy {
        max_attempts: 10,
        initial: Duration::from_seconds(1),
        factor_thousandths: 2_000,
        max: Duration::from_seconds(60),
        jitter_thousandths: 250,
        on: RetryOn { transient: true, ..RetryOn::default() },
    };
    assert_eq!(retry(0), default);
    let written =
        RetryPolicy { on: RetryOn { transient: true, timeout: true, exit: true, ..RetryOn::default() }, ..default };
    assert_eq!(retry(1), written);
    let five = Duration::from_seconds(300);
    assert_eq!(retry(2), RetryPolicy { initial: five, max: five, ..written });
}

#[test]
fn a_stage_without_work_has_one_noop_and_a_task_without_name_gets_one() {
    let definition = read(
        "{name: x, defaults: {env: {A: '${{ b }} c'}}, stages: {a: , b: {run: x}, c: {uses: my.import}, d: {tasks: [{run: x}, {run: y}, {name: shell-3, run: z}, {run: z}]}}}",
    );
    let names: Vec<Vec<&str>> = definition
        .graph()
        .stages
        .iter()
        .map(|stage| stage.tasks.iter().map(|task| task.name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["noop"], vec!["shell"], vec!["my_import"], vec!["shell", "shell-2", "shell-3", "shell-4"]]);
    assert_eq!(definition.graph().stages[0].tasks[0].env, []);
    assert_eq!(definition.graph().stages[1].tasks[0].env.len(), 1);
}

#[test]
fn texts_are_computed_by_their_form() {
    let definition = read(
        r#"{name: x, stages: {a: {uses: t, with: {whole: "${{ n }}", text: "n=${{ n }} b=${{ b }} l=${{ l }}", list: ["${{ n }}", 2], none: "${{ zz }}", plain: "$${{ n }}", two: "${{ n }}${{ n }}"}}}}"#,
    );
    let scope = Scope::new().with("n", 5).with("b", true).with("l", ["x"]);
    let with = definition.graph().stages[0].tasks[0].with.render(&scope).unwrap();
    let expected =
        r#"{"list":[5,2],"none":null,"plain":"${{ n }}","text":"n=5 b=true l=[\"x\"]","two":"55","whole":5}"#;
    assert_eq!(with.to_json(), expected);
}

#[test]
fn a_value_that_is_missing_in_a_text_is_named_with_its_place() {
    let definition = read(
        r#"{name: x, stages: {a: {uses: t, with: {json: {items: [1, "a ${{ stages.b.outputs.x }}"]}}, needs: [b]}, b: {}}}"#,
    );
    let error = definition.graph().stages[0].tasks[0].with.render(&Scope::new()).unwrap_err();
    assert!(error.is_missing());
    assert_eq!(error.to_string(), "`stages.b.outputs.x` has no value in json.items[1]");
    let wrong = read(r#"{name: x, stages: {a: {uses: t, with: {c: "${{ k < 1 }}"}}}}"#);
    let error = wrong.graph().stages[0].tasks[0].with.render(&Scope::new().with("k", "text")).unwrap_err();
    assert!(!error.is_missing());
    assert_eq!(error.to_string(), "could not evaluate `k < 1` in c");
    let run = read("{name: x, stages: {a: {run: 'echo ${{ k }}'}}}");
    let text = run.graph().stages[0].tasks[0].shell_text.clone().unwrap();
    assert!(text.render(&Scope::new()).unwrap_err().is_missing());
    assert_eq!(
        text.render(&Scope::new().with("k", "a\0b")).unwrap_err().to_string(),
        "`k` holds the character NUL, which cannot be handed to a program"
    );
}

#[test]
fn doubts_are_said_where_they_are_right() {
    for (stages, doubts) in [
        (
            "a: {if: x, outputs: {k: v}}, b: {needs: [a], uses: t, with: {k: '${{ stages.a.outputs.k }}'}}",
            vec!["OUTPUT_MAY_BE_MISSING"],
        ),
        ("a: {if: x}, b: {needs: [a], if: x, uses: t, with: {k: '${{ stages.a.outputs.k }}'}}", vec![]),
        ("a: {if: x}, b: {needs: [a], if: 'stages.a.outputs.k', run: x}", vec![]),
        ("a: {if: true}, b: {needs: [a], uses: t, with: {k: '${{ stages.a.outputs.k }}'}}", vec![]),
        (
            "a: {if: x}, b: {needs: [a], uses: t, with: {k: '${{ stages.a.outputs.k if stages.a.outputs.k else 0 }}'}}",
            vec![],
        ),
        ("a: {tasks: [{run: x, if: y}], outputs: {k: '${{ tasks.shell.outputs.k }}'}}", vec!["OUTPUT_MAY_BE_MISSING"]),
        (
            "s: {split_type: XOR, split_conditions: {a: x}, split_default: b}, a: {needs: [s]}, b: {needs: [s]}, c: {needs: [a]}, j: {needs: [c, b]}",
            vec!["JOIN_NEVER_FIRES"],
        ),
        (
            "s: {split_type: XOR, split_conditions: {a: x}, split_default: j}, a: {needs: [s]}, j: {needs: [s, a]}",
            vec!["JOIN_NEVER_FIRES"],
        ),
        (
            "s: {split_type: XOR, split_conditions: {a: x}, split_default: b}, a: {needs: [s]}, b: {needs: [s]}, j: {needs: [a, b], join_type: XOR}",
            vec![],
        ),
        (
            "a: {start_time_expiry: 2030-01-01T00:00:00Z}, b: {needs: [a], uses: t, with: {k: '${{ stages.a.outputs.k }}'}}",
            vec!["OUTPUT_MAY_BE_MISSING"],
        ),
        (
            "a: {scheduled_time: 2030-01-01T00:00:01Z, start_time_expiry: 2030-01-01T01:00:00+01:00}",
            vec!["NEVER_STARTS"],
        ),
        ("a: {scheduled_time: 2030-01-01T00:00:00Z, start_time_expiry: 2030-01-01T01:00:00+01:00}", vec![]),
        ("s: {}, a: {needs: [s]}, b: {needs: [s]}, j: {needs: [a, b]}", vec![]),
        ("a: {outputs: {k: x}}, b: {outputs: {k: y}}", vec!["PARALLEL_WRITERS"]),
        ("a: {outputs: {k: x}}, b: {needs: [a], outputs: {k: y}}", vec![]),
        ("a: {outputs: {k: [x]}}, b: {outputs: {k: [y]}}", vec![]),
        (
            "s: {split_type: XOR, split_conditions: {a: x}, split_default: b}, a: {needs: [s], outputs: {k: x}}, b: {needs: [s], outputs: {k: y}}",
            vec![],
        ),
    ] {
        let definition = read(&format!("{{name: x, stages: {{{stages}}}}}"));
        let found: Vec<&str> = definition.warnings().iter().map(|problem| problem.code().name()).collect();
        assert_eq!(found, doubts, "{stages}");
        assert!(definition.warnings().iter().all(|problem| problem.severity() == Severity::Warning));
    }
    let late =
        "{name: x, scheduled_time: 2030-01-02T00:00:00Z, start_time_expiry: 2030-01-01T00:00:00Z, stages: {a: }}";
    let said = read(late).warnings().to_string();
    assert!(
        said.starts_with("1:1: warning[NEVER_STARTS]: it is scheduled for 2030-01-02T00:00:00.000000Z, after"),
        "{said}"
    );
}
