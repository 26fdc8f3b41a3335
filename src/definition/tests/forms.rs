//! One definition in several forms: YAML, JSON, a builder, the normal form.

use super::*;
use crate::definition::builder::{Defaults, InputSpec, Retry, Split, Stage, TaskSpec, Verification};
use crate::time::{Duration, Timestamp};

#[test]
fn the_normal_form_is_read_back() {
    let definition = read(EVERYTHING);
    let back = Definition::from_normal(definition.normal()).unwrap();
    assert_eq!(back, definition);
    assert_eq!(back.graph(), definition.graph());
    assert_eq!(back.header(), definition.header());
    assert_eq!(back.limits(), definition.limits());
    assert_eq!(back.normal(), definition.normal());
    let again = normal::write(back.header(), back.graph(), back.limits(), &back.0.family);
    assert_eq!(again, definition.to_json());
}

#[test]
fn what_does_not_matter_does_not_change_the_hash() {
    let written = "name: x\nenv: {A: 1, B: 2}\nstages:\n  a: {}\n  b: {needs: [a], run: echo, timeout: 60s}\n";
    let hash = read(written).hash();
    for text in [
        "# comment\nstages:\n  a:\n  b: {timeout: 1m, run: \"echo\", needs: [a]}\nenv: {B: 2, A: 1}\nname: x\n",
        "{\"name\": \"x\", \"env\": {\"A\": 1, \"B\": 2}, \"stages\": {\"a\": {}, \"b\": {\"needs\": [\"a\"], \"run\": \"echo\", \"timeout\": \"1m\"}}}",
        "name: x\nstages:\n- {ref_id: a, uses: noop}\n- ref_id: b\n  requisite_stage_ref_ids: [a]\n  uses: shell\n  with: {command: echo}\n  timeout: 60s\n  priority: 5\n  join_type: and\n  env: {A: 1, B: 2}\n",
        "name: x\nx-note: y\napplication: ''\nenv: {A: 0, B: 2}\ndefaults: {env: {A: 1}, timeout: 60s}\nstages: {a: {timeout: 4h}, b: {needs: [a], run: echo}}\n",
    ] {
        assert_eq!(read(text).hash(), hash, "{text}");
    }
    for text in [
        "name: x\nenv: {A: 1, B: 2}\nstages:\n  b: {needs: [a], run: echo, timeout: 60s}\n  a: {}\n",
        "name: x\nenv: {A: 1, B: 2}\nstages:\n  a: {}\n  b: {needs: [a], run: echo, timeout: 61s}\n",
        "name: x\nenv: {A: 1, B: '2'}\nstages:\n  a: {}\n  b: {needs: [a], run: echo, timeout: 60s}\n",
    ] {
        assert_ne!(read(text).hash(), hash, "{text}");
    }
}

/// What `EVERYTHING` asks of outputs.
fn asked() -> Verification {
    let asked = Verification::new().required_keys(["done"]).types([("done", "string")]);
    asked.verifier("is done").retry(Retry::attempts(3))
}

/// `EVERYTHING` from code.
fn built() -> Builder {
    let seconds = Duration::from_seconds;
    let test = Stage::new("test")
        .name("All the tests")
        .stage_type("tests")
        .needs(["checkout"])
        .condition("true")
        .priority(9)
        .on_failure(OnFailure::FailAtEnd)
        .timeout(seconds(1_200))
        .deadline(seconds(5_400))
        .scheduled_time(moment("2029-12-31T23:30:00Z"))
        .start_time_expiry(moment("2030-01-02T00:00:00Z"))
        .shell("sh")
        .cwd("${{ dir }}")
        .retry(Retry::attempts(2).max(seconds(5)))
        .env("SHARED", "stage")
        .context("target", "all ${{ k }}")
        .context("plain", "$${{ as it is }}")
        .output("done", "${{ tasks.unit.outputs.done }}")
        .output("text", "a ${{ tasks.unit.status }} b")
        .task(
            TaskSpec::new("unit")
                .run("make test O=${{ target }}")
                .with("expected_codes", [0, 1])
                .with("timeout", 30)
                .condition("target != \"none\"")
                .env("SHARED", "task")
                .env("GONE", Value::Null)
                .cwd(".")
                .shell("/bin/dash")
                .retry(Retry::attempts(1))
                .timeout(seconds(600))
                .on_failure(OnFailure::Stop)
                .verification(asked()),
        )
        .task(
            TaskSpec::new("http")
                .uses("http")
                .with("url", "https://ci.example/r")
                .with("json", Value::map([("sha", "${{ sha }}"), ("env", "${{ env.SHARED }}")])),
        )
        .task(TaskSpec::new("http-3").uses("http").with("url", "http://ci.example"))
        .task(TaskSpec::new("shell").uses("shell").with("command", ["make", "${{ target }}"]));
    let pack = Stage::new("pack")
        .needs(["lint", "test"])
        .split(
            Split::xor([("slow", "stages.test.outputs.done == \"yes\""), ("fast", "size < 10"), (Split::END, "skip")])
                .default("slow"),
        )
        .on_condition_error(OnConditionError::False);
    header()
        .stage(Stage::new("checkout").run(
            "git checkout ${{ inputs.ref }}\necho \"sha=$(git rev-parse ${{ inputs.ref }})\" >> \"$STABILIZE_OUTPUT\"\n",
        ))
        .stage(
            Stage::new("lint")
                .needs(["checkout"])
                .condition("changed and not skip")
                .run("make lint")
                .on_failure(OnFailure::Continue)
                .env("K", 1),
        )
        .stage(test)
        .stage(pack)
        .stage(Stage::new("fast").needs(["pack"]))
        .stage(Stage::new("slow").needs(["pack"]))
        .stage(Stage::new("done").needs(["slow", "fast"]).join(Join::Xor).uses("wait").with("duration", "1s"))
        .output("sha", "${{ stages.checkout.outputs.sha }}")
        .output("all", Value::map([("a", "${{ k }}")]))
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn header() -> Builder {
    let text = |pattern: &str| InputSpec::string().default("main").pattern(pattern).min(1).max(20);
    let number = |number: f64| Value::number(number).unwrap();
    Definition::builder("release ${{ inputs.ref }}")
        .application("shop")
        .workflow_type(WorkflowType::Pipeline)
        .version("1.0")
        .description("everything")
        .input("ref", text("^[a-z]+$").description("what to build"))
        .input("level", InputSpec::integer().default(2).choices([1, 2, 3]))
        .input("opts", InputSpec::list().default(["0"]).items(InputSpec::string().choices(["0", "2"])).max(9))
        .input("ratio", InputSpec::number().default(number(0.5)).min(0).max(1))
        .input("deep", InputSpec::map().default(Value::map([("a", [Value::from(1), Value::Null])])))
        .input("flag", InputSpec::boolean())
        .input("rest", InputSpec::any())
        .context("who", "${{ trigger.user }}")
        .context("list", [Value::from(1), Value::from("${{ inputs.level }}")])
        .env("CI", true)
        .env("HOME", Value::Null)
        .env("SHARED", "workflow")
        .defaults(
            Defaults::new()
                .timeout(Duration::from_seconds(5_400))
                .retry(Retry::attempts(4).initial(Duration::from_seconds(120)).factor(1.5).jitter(0.0).on(["exit"]))
                .env("SHARED", "defaults")
                .env("STAGE", "${{ stage.ref_id }}")
                .cwd("src")
                .shell("bash"),
        )
        .start_time_expiry(moment("2030-01-01T00:00:00Z"))
        .scheduled_time(moment("2029-12-31T23:00:00Z"))
        .deadline(Duration::from_seconds(2 * 24 * 3_600))
        .priority(7)
}

#[test]
fn a_builder_makes_what_yaml_makes() {
    let built = built().build().unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(EVERYTHING);
    assert_eq!(built.to_json(), written.to_json());
    assert_eq!(built.hash(), written.hash());
    assert_eq!(built.source(), "");
    assert_eq!(written.source(), EVERYTHING);
}

#[test]
fn problems_of_a_builder_are_placed_by_path() {
    let mut deep = Value::Null;
    for _ in 0..500 {
        deep = Value::list([deep]);
    }
    let problems = Definition::builder("x")
        .priority(10)
        .stage(Stage::new("a").run("echo '${{ x }}'").timeout(Duration::ZERO))
        .stage(Stage::new("a").needs(["zz"]))
        .stage(Stage::new("b").task(TaskSpec::new("t").uses("noop").with("deep", deep)).task(TaskSpec::new("t")))
        .stage(Stage::new("c").retry(Retry::attempts(2).factor(f64::NAN)))
        .build()
        .unwrap_err();
    let lines: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.span(), problem.code())).collect();
    assert_eq!(
        lines,
        [
            "priority OUT_OF_RANGE",
            "stages.a.run TEMPLATE_IN_SINGLE_QUOTES",
            "stages.a.timeout OUT_OF_RANGE",
            "stages.a DUPLICATE_STAGE",
            "stages.a.needs[0] UNKNOWN_STAGE",
            "stages.b.tasks[0].with.deep TOO_DEEP",
            "stages.b.tasks[1] MISSING_KEY",
            "stages.b.tasks[1].name DUPLICATE_TASK",
            "stages.c.retry.factor WRONG_TYPE",
        ]
    );
    assert!(
        problems.to_string().starts_with("priority: error[OUT_OF_RANGE]: priority is 10, not a number from 0 to 9\n")
    );
    assert!(Definition::builder("").build().unwrap_err().to_string().contains("stages: error[NO_STAGES]"));
}
