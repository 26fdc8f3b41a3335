//! Locks: mutex keys, interleaved groups and critical sections; who takes what, who waits, and what is given back when.

use crate::definition::Definition;
use crate::failure::ErrorClass;
use crate::machine::{LockHolder, WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::{Then, given};
use crate::testing::happening::{
    Happening, cancel, complete, fail, fire, go_on, pass, pause, resume, signal, start, suspend, terminal,
};

/// `a`, then stages with these keys, each behind it.
fn behind(stages: &str) -> Definition {
    yaml(&format!("{{ name: x, stages: {{ a: , {stages} }} }}"))
}

/// Two that exclude each other, and what follows the first.
fn two() -> Definition {
    behind("b: { needs: [a], mutex_key: db }, c: { needs: [a], mutex_key: db }, d: { needs: [b] }")
}

/// A workflow of this definition after all this.
fn after(definition: &Definition, happenings: impl IntoIterator<Item = Happening>) -> Then {
    given(definition).after(happenings).when(pass("1s")).then([])
}

/// Who waits for which lock, and who holds it.
fn held(course: &Course) -> Vec<String> {
    let waits = waits(course.state());
    let held = waits.iter().filter_map(|wait| {
        let WaitReason::Lock { kind, name, holder } = wait.reason() else { return None };
        let holder = match holder {
            LockHolder::Activation { stage, activation } => format!("{stage}#{activation}"),
            LockHolder::Section { section } => format!("section {section}"),
        };
        Some(format!("{} waits for {} {name} of {holder}", wait.stage()?, kind.name()))
    });
    held.collect()
}

/// Every order in which work that is open can be completed, as the stages started.
fn orders(course: &Course, named: &[&str]) -> Vec<String> {
    let open: Vec<String> = course.open().iter().map(|work| (*work).to_owned()).collect();
    if open.is_empty() {
        let started = course.lines().filter_map(|line| line.strip_prefix("stage.started ").map(str::to_owned));
        let started: Vec<String> = started.filter(|stage| named.contains(&stage.as_str())).collect();
        assert_eq!(course.status(), Status::Succeeded, "{}", course.story());
        return vec![started.join(" ")];
    }
    let mut found: Vec<String> = open
        .iter()
        .flat_map(|work| {
            let mut course = course.clone();
            course.happen(&complete(work));
            orders(&course, named)
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn begun(definition: &Definition) -> Course {
    after(definition, [complete("a")]).course().clone()
}

#[test]
fn of_the_stages_with_one_key_one_runs_at_a_time() {
    let then = given(&two())
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b, c",
            "stage.ready b",
            "stage.ready c",
            "lock.taken db b",
            "stage.started b",
            "task.queued b",
            "stage.waiting c for lock",
        ])
        .open(["b"]);
    assert_eq!(held(then.course()), ["c waits for mutex db of b#1"]);
    then.when(complete("b"))
        .then([
            "task.reported b SUCCEEDED",
            "task.completed b",
            "stage.completed b to d",
            "stage.started d",
            "task.queued d",
            "lock.released db",
            "lock.taken db c",
            "stage.started c",
            "task.queued c",
        ])
        .after([complete("c"), complete("d")])
        .status(Status::Succeeded);
}

#[test]
fn a_lock_is_kept_while_its_holder_is_tried_again_suspended_or_waits() {
    let text = "b: { needs: [a], mutex_key: k, retry: { max_attempts: 3 } }, c: { needs: [a], mutex_key: k }";
    let kept = [fail("b", ErrorClass::Transient), pass("1h"), suspend("b", ["go"]), pass("1d"), signal("go")];
    after(&behind(text), [complete("a")].into_iter().chain(kept))
        .activations("c", 0)
        .after([start("b"), complete("b")])
        .activations("c", 1);
}

#[test]
fn locks_go_to_those_who_became_ready_first() {
    let text = "
name: x
stages:
  a: { mutex_key: k }
  b: { mutex_key: k }
  c: { mutex_key: k, trigger: { signal: c } }
  d: { mutex_key: k }
";
    // The trigger of `c` comes late, but it became ready before `d`.
    given(&yaml(text))
        .after([signal("c")])
        .when(complete("a"))
        .then_among(["lock.released k", "lock.taken k b"])
        .when(complete("b"))
        .then_among(["lock.taken k c"])
        .when(complete("c"))
        .then_among(["lock.taken k d"]);
}

#[test]
fn who_needs_several_locks_takes_them_at_once_and_lets_others_pass_meanwhile() {
    let text = "
name: x
critical_sections: [{ mutex_key: s, sections: { one: [p, q] } }]
stages:
  a: { mutex_key: s }
  p: { needs: [a] }
  q: { needs: [p], mutex_key: m }
  r: { mutex_key: m }
  t: { mutex_key: m }
";
    after(&yaml(text), [complete("a"), complete("p")])
        .open(["r"])
        .when(complete("r"))
        .then_among(["lock.released m", "lock.taken m t"])
        .when(complete("t"))
        .then_among(["lock.taken m q", "stage.started q"])
        .when(complete("q"))
        .then_among(["workflow.completed"]);
}

#[test]
fn what_is_canceled_or_fails_gives_its_lock_back() {
    let text =
        "b: { needs: [a], mutex_key: k }, c: { needs: [a], mutex_key: k }, s: { needs: [a], cancels: [{ stage: b }] }";
    given(&behind(text)).done(["a"]).when(complete("s")).then_among([
        "stage.canceled b by s",
        "stage.completed s",
        "lock.released k",
        "lock.taken k c",
    ]);
    let failing = "b: { needs: [a], mutex_key: k, on_failure: stop }, c: { needs: [a], mutex_key: k }";
    given(&behind(failing)).done(["a"]).when(terminal("b")).then_among(["lock.released k", "lock.taken k c"]);
    // Nobody starts any more in a workflow that has failed, and nobody keeps a lock.
    given(&two()).done(["a"]).when(terminal("b")).then_among([
        "stage.canceled c by failure",
        "lock.released db",
        "workflow.failed STAGE_FAILED b TOLD",
    ]);
    given(&two()).done(["a"]).when(cancel()).then_among([
        "stage.canceled b by workflow",
        "stage.canceled c by workflow",
        "lock.released db",
    ]);
}

#[test]
fn one_that_is_canceled_while_it_waits_leaves_its_place_to_the_next() {
    let text = "b: { needs: [a], mutex_key: k }, c: { needs: [a], mutex_key: k, cancel_on: [{ timer: 1m }] }, \
                d: { needs: [a], mutex_key: k }";
    after(&behind(text), [complete("a"), pause(), complete("b"), pass("2m"), fire(1)])
        .activations("d", 0)
        .when(resume())
        .then_among(["lock.taken k d", "stage.started d"])
        .activations("c", 0);
}

#[test]
fn paused_no_lock_is_granted() {
    let then = given(&two()).done(["a"]).when(pause()).then(["workflow.paused by engine"]);
    let then = then.when(complete("b")).then([
        "task.reported b SUCCEEDED",
        "task.completed b",
        "stage.completed b to d",
        "stage.started d",
        "task.queued d",
        "lock.released db",
    ]);
    then.when(resume()).then(["workflow.resumed after 0s", "lock.taken db c", "stage.started c", "task.queued c"]);
}

#[test]
fn who_waits_too_long_for_a_lock_is_passed_by() {
    let text = "b: { needs: [a], mutex_key: k }, c: { needs: [a], mutex_key: k, start_time_expiry: 2026-01-01T00:01:00Z }, \
                d: { needs: [c] }";
    given(&behind(text))
        .when(complete("a"))
        .then_among(["stage.waiting c for lock", "timer.set 1 c start_time_expiry due 1m"])
        .after([pass("1m")])
        .when(fire(1))
        .then_among(["stage.skipped c to d"])
        .activations("c", 0);
}

#[test]
fn a_batch_that_is_cut_anywhere_grants_the_same() {
    let definition = with_limits(&two(), &[("chunk_events_max", 1)]);
    let settled = |mut then: Then| {
        while then.course().state().is_unsettled() {
            then = then.after([go_on()]);
        }
        then
    };
    let then = settled(settled(after(&definition, [])).after([complete("a")]));
    let then = settled(then.open(["b"]).activations("c", 0).after([complete("b")]));
    then.open(["c", "d"]);
}

/// R06's example: `b` before `d`, `c` at any time, never two at once.
fn partial() -> Definition {
    let member = "interleave: { group: g }";
    behind(&format!(
        "b: {{ needs: [a], {member} }}, c: {{ needs: [a], {member} }}, d: {{ needs: [b], {member} }}, e: {{ needs: [c, d] }}"
    ))
}

#[test]
fn an_interleaved_group_runs_in_every_order_that_its_needs_allow_and_in_no_other() {
    // Who is ready first goes first; a trigger leaves the order open.
    let text = "
name: x
stages:
  a:
  tb: { needs: [a] }
  tc: { needs: [a] }
  b: { needs: [tb], interleave: { group: g } }
  c: { needs: [tc], interleave: { group: g } }
  td: { needs: [b] }
  d: { needs: [td], interleave: { group: g, order: partial } }
  e: { needs: [c, d] }
";
    assert_eq!(orders(&begun(&yaml(text)), &["b", "c", "d"]), ["b c d", "b d c", "c b d"]);
    assert_eq!(orders(&begun(&partial()), &["b", "c", "d"]), ["b c d"]);
}

#[test]
fn a_suspended_member_keeps_the_others_out() {
    let then =
        given(&partial()).done(["a"]).after([suspend("b", ["go"])]).when(pass("1d")).then([]).activations("c", 0);
    assert_eq!(held(then.course()), ["c waits for interleave g of b#1"]);
    then.after([signal("go"), complete("b")]).activations("c", 1);
}

#[test]
fn members_in_any_order_follow_their_triggers() {
    let member = |name: &str| {
        format!("{name}: {{ needs: [a], trigger: {{ signal: {name} }}, interleave: {{ group: g, order: any }} }}")
    };
    let text = format!("{}, {}, {}, f: {{ needs: [b, c, d] }}", member("b"), member("c"), member("d"));
    for order in ["b c d", "b d c", "c b d", "c d b", "d b c", "d c b"] {
        let mut then: Then = given(&behind(&text)).done(["a"]).when(pass("1s")).then([]);
        for name in order.split(' ') {
            let started = format!("stage.started {name}");
            then = then.when(signal(name)).then_among([started.as_str()]);
            // Another one that comes meanwhile waits.
            assert_eq!(then.course().open().iter().filter(|work| work.len() == 1).count(), 1);
            then = then.after([complete(name)]);
        }
        then.after([complete("f")]).status(Status::Succeeded);
    }
}

/// `b` then `d`, and `c` then `e`: never one of each.
fn sections(more: &str) -> Definition {
    yaml(&format!(
        "
name: x
critical_sections: [{{ mutex_key: k, sections: {{ s1: [b, d], s2: [c, e] }} }}]
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
  d: {{ needs: [b]{more} }}
  e: {{ needs: [c] }}
  z: {{ needs: [d, e] }}
"
    ))
}

#[test]
fn a_section_completes_before_another_begins() {
    assert_eq!(orders(&begun(&sections("")), &["b", "c", "d", "e"]), ["b d c e"]);
    let late = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c, e] } }]
stages:
  a:
  x: { needs: [a] }
  y: { needs: [a] }
  b: { needs: [x] }
  c: { needs: [y] }
  d: { needs: [b] }
  e: { needs: [c] }
  z: { needs: [d, e] }
";
    assert_eq!(orders(&begun(&yaml(late)), &["b", "c", "d", "e"]), ["b d c e", "c e b d"]);
}

#[test]
fn in_the_gap_between_its_stages_a_section_keeps_its_key() {
    let then = given(&sections(", trigger: { signal: go }"))
        .done(["a", "b"])
        .when(pass("1d"))
        .then([])
        .activations("c", 0)
        .activations("d", 0);
    assert_eq!(held(then.course()), ["c waits for mutex k of section s1"]);
    then.when(signal("go"))
        .then_among(["stage.started d"])
        .activations("c", 0)
        .when(complete("d"))
        .then_among(["lock.released k", "lock.taken k c"]);
    // Also where only a token lies between them.
    let text = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c] } }]
stages: { b: , w: , c: , d: { needs: [b, w] } }
";
    given(&yaml(text))
        .done(["b"])
        .when(pass("1d"))
        .then([])
        .activations("c", 0)
        .when(complete("w"))
        .then_among(["stage.started d"])
        .when(complete("d"))
        .then_among(["lock.released k", "lock.taken k c"]);
}

#[test]
fn several_of_one_section_are_at_work_at_once() {
    let text = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d, e], s2: [c] } }]
stages: { c: , b: , d: { needs: [b] }, e: { needs: [b] } }
";
    after(&yaml(text), [complete("c"), complete("b")]).open(["d", "e"]);
    // A second thread of the section that holds the key does not wait for it.
    let again = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c] } }]
stages: { x: , y: , c: , b: { needs: [x, y], join_type: MULTI_MERGE }, d: { needs: [b], join_type: MULTI_MERGE } }
";
    after(&yaml(again), [complete("x"), complete("y")]).open(["c"]).after([complete("c")]).open(["b", "b#2"]);
}

#[test]
fn canceling_all_of_a_section_in_its_gap_gives_its_key_back() {
    let text = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c, e] } }]
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b], trigger: { signal: go } }
  e: { needs: [c] }
  x: { needs: [a], cancels: [{ stage: d }] }
";
    given(&yaml(text)).done(["a", "b"]).when(complete("x")).then_among([
        "stage.canceled d by x",
        "lock.released k",
        "lock.taken k c",
        "stage.started c",
    ]);
    // And so does a region that takes the token between them away.
    let region = "
name: x
leftover_tokens: ignore
regions: { r: { effect: remove } }
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c] } }]
stages:
  b:
  w:
  c:
  d: { needs: [b, w], cancel_region: r }
  x: { cancels: [{ region: r }] }
";
    given(&yaml(region)).done(["b"]).when(complete("x")).then_among([
        "region.canceled r by x",
        "lock.released k",
        "lock.taken k c",
        "stage.started c",
    ]);
}

#[test]
fn a_section_whose_token_is_left_gives_its_key_back_at_the_end() {
    let text = "
name: x
critical_sections: [{ mutex_key: k, sections: { s1: [b, d] } }]
stages: { b: , w: { on_failure: stop }, d: { needs: [b, w] } }
";
    given(&yaml(text)).done(["b"]).when(terminal("w")).then_among(["lock.released k", "tokens.left b to d"]);
}

#[test]
fn a_key_excludes_in_the_whole_workflow_and_a_group_in_its_scope() {
    let turns =
        |keys: &str| format!("loop: {{ while: 'loop.index < 2', stages: {{ b: {{ {keys} }}, c: {{ {keys} }} }} }}");
    let text = |keys: &str| {
        let body = turns(keys);
        yaml(&format!("{{ name: x, stages: {{ p: , q: , l: {{ needs: [p, q], join_type: MULTI_MERGE, {body} }} }} }}"))
    };
    // Two loops at once: of the key one activation in both, of the group one in each.
    after(&text("mutex_key: k"), [complete("p"), complete("q")]).open(["b"]).after([complete("b")]).open(["c"]);
    let mut then = after(&text("interleave: { group: g }"), [complete("p"), complete("q")]).open(["b", "b#2"]);
    for turn in [["b", "b#2", "c", "c#2"], ["b#3", "b#4", "c#3", "c#4"]] {
        then = then.after(turn.map(complete));
    }
    then.status(Status::Succeeded);
}

#[test]
fn what_a_section_inside_a_loop_holds_is_given_back_with_its_turn() {
    let text = "
name: x
leftover_tokens: ignore
critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c] } }]
stages:
  w:
  c: { needs: [w] }
  l:
    loop:
      while: loop.index < 2
      stages: { b: , v: { on_failure: stop }, d: { needs: [b, v] } }
";
    given(&yaml(text))
        .done(["b", "w"])
        .when(terminal("v"))
        .then_among(["lock.released k", "tokens.left b to d", "scope.closed 1 l SUCCEEDED", "lock.taken k c"])
        .when(complete("c"))
        .then_among(["lock.released k", "lock.taken k b#2"])
        .when(cancel())
        .then_among(["lock.released k", "workflow.canceled CANCEL_REQUESTED by engine"]);
}

#[test]
fn an_or_join_waits_for_who_waits_for_a_lock() {
    let text = "b: { needs: [a], mutex_key: k }, c: { needs: [a], mutex_key: k }, j: { needs: [b, c], join_type: OR }";
    after(&behind(text), [complete("a"), complete("b")]).activations("j", 0).after([complete("c")]).activations("j", 1);
}

#[test]
fn a_lock_of_many_goes_round() {
    let stages: Vec<String> = (0..200).map(|number| format!("s{number}: {{ mutex_key: k }}")).collect();
    let mut course = Course::new(&yaml(&format!("{{ name: x, stages: {{ {} }} }}", stages.join(", "))));
    course.happen(&crate::testing::happening::create());
    for number in 0..200 {
        let next: Happening = complete(&format!("s{number}"));
        course.happen(&next);
    }
    assert_eq!(course.status(), Status::Succeeded);
}
