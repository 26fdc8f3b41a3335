//! Where secrets may stand, and what is said where they may not.

use super::mistakes::said;
use super::*;

/// Documents with mistakes, and each with its place.
const MISTAKES: &[(&str, &[&str])] = &[
    (
        "{name: 'x ${{ secrets.k }}', env: {K: '${{ secrets.k }}'}, context: {k: '${{ secrets.k }}'}, stages: {a: {context: {k: '${{ secrets.k }}'}, outputs: {k: '${{ secrets.k }}'}, for_each: '${{ secrets.k }}', run: x}}}",
        &[
            "1:15 SECRET_NOT_ALLOWED",
            "1:78 SECRET_NOT_ALLOWED",
            "1:125 SECRET_NOT_ALLOWED",
            "1:159 SECRET_NOT_ALLOWED",
            "1:190 SECRET_NOT_ALLOWED",
        ],
    ),
    (
        "{name: x, stages: {a: {env: {K: '${{ secrets.k }}'}, cwd: '${{ secrets.k }}', uses: shell, with: {stdin: '${{ env.K }}', command: [x, '${{ env.K }}', '${{ env }}', '${{ secrets.k }}']}}}}",
        &[
            "1:64 SECRET_NOT_ALLOWED",
            "1:140 SECRET_NOT_ALLOWED",
            "1:156 SECRET_NOT_ALLOWED",
            "1:170 SECRET_NOT_ALLOWED",
        ],
    ),
    (
        "{name: x, stages: {a: {uses: docker, with: {environment: {K: '${{ secrets.k }}'}, image: '${{ secrets.k }}'}}, b: {uses: python, with: {inputs: {k: '${{ secrets.k }}'}, args: ['${{ secrets.k }}']}}}}",
        &["1:95 SECRET_NOT_ALLOWED", "1:182 SECRET_NOT_ALLOWED"],
    ),
    (
        "{name: x, stages: {a: {uses: approval, with: {prompt: '${{ secrets.k }}'}}, b: {sub_workflow: {definition: $self, input: {k: '${{ secrets.k }}'}}}}}",
        &["1:60 SECRET_NOT_ALLOWED", "1:131 SECRET_NOT_ALLOWED"],
    ),
    (
        "{name: x, stages: {a: {run: '${{ secrets }} ${{ secrets[item] }} ${{ secrets[\"a b\"] }}'}}}",
        &["1:34 UNKNOWN_NAME", "1:49 UNKNOWN_NAME", "1:57 UNKNOWN_NAME", "1:70 UNKNOWN_NAME"],
    ),
    (
        "{name: x, inputs: {t: {type: string, secret: true, default: hush}, n: {type: integer, secret: true, min: 1, max: 2}, p: {type: string, secret: true, pattern: x, enum: [x]}}, stages: {a: }}",
        &[
            "1:61 BAD_DEFAULT",
            "1:78 CONFLICTING_KEYS",
            "1:101 CONFLICTING_KEYS",
            "1:109 CONFLICTING_KEYS",
            "1:150 CONFLICTING_KEYS",
            "1:162 CONFLICTING_KEYS",
        ],
    ),
    (
        "{name: '${{ inputs.t }}', inputs: {t: {type: string, secret: true}}, stages: {a: {if: 'inputs.t', cwd: '${{ inputs.t }}', run: '${{ inputs }} ${{ t }} ${{ context.t }}', outputs: {t: '${{ inputs.t }}'}}}}",
        &[
            "1:13 SECRET_NOT_ALLOWED",
            "1:88 SECRET_NOT_ALLOWED",
            "1:109 SECRET_NOT_ALLOWED",
            "1:133 SECRET_NOT_ALLOWED",
            "1:147 SECRET_NOT_ALLOWED",
            "1:156 SECRET_NOT_ALLOWED",
            "1:189 SECRET_NOT_ALLOWED",
        ],
    ),
    (
        "{name: x, inputs: {t: {type: string, secret: true}}, stages: {a: {env: {K: '${{ inputs.t }}'}, uses: shell, with: {command: [x, '${{ env.K }}']}}}}",
        &["1:134 SECRET_NOT_ALLOWED"],
    ),
];

#[test]
fn a_secret_is_refused_wherever_its_value_would_be_recorded_or_seen() {
    for (text, expected) in MISTAKES {
        assert_eq!(said(&refuse(text)), *expected, "{text}");
    }
}

#[test]
fn a_secret_is_taken_wherever_only_the_task_sees_its_value() {
    let text = "
name: x
env: { A: '${{ secrets.a }}' }
defaults: { env: { B: '${{ secrets.b }}' } }
stages:
  a: { run: 'tool ${{ secrets.c }}', with: { stdin: '${{ secrets.d }}', env: { D: '${{ secrets.d }}' } } }
  b: { env: { E: '${{ secrets.e-1 }}' }, uses: shell, with: { command: 'tool ${{ secrets[\"f\"] }} ${{ env.A }}' } }
  c: { uses: http, with: { url: 'https://a/${{ secrets.g }}', headers: { x: 'k ${{ secrets.h }}' } } }
  d: { uses: python, with: { script: x, inputs: { deep: ['${{ secrets.i }}'] } } }
  e: { uses: docker, with: { image: x, environment: { J: '${{ secrets.j }}' } } }
  f: { uses: own, with: { any: '${{ secrets.k }}' } }
";
    let definition = read(text);
    // What is kept of it names them.
    assert_eq!(definition.to_json().matches("secrets").count(), 22);
}

#[test]
fn a_secret_input_is_given_as_where_it_is_and_never_shown_if_it_is_not() {
    let spec = InputSpec::string().secret().default("env:TOKEN");
    let stage = || Stage::new("a").run("tool ${{ inputs.token }}");
    let built = Definition::builder("x").input("token", spec).stage(stage()).build().unwrap();
    let written = "
name: x
inputs: { token: { type: string, secret: true, default: 'env:TOKEN' } }
stages: { a: { run: 'tool ${{ inputs.token }}' } }
";
    let definition = read(written);
    assert_eq!(definition.hash(), built.hash());
    let again = Definition::from_normal(&definition.to_json()).unwrap();
    assert_eq!(again.header(), definition.header());
    for (text, fits) in [
        ("env:TOKEN_2", true),
        ("file:/run/secrets/token", true),
        ("file:token", true),
        ("hush-hush", false),
        ("env:", false),
        ("env:2", false),
        ("env:hush-hush", false),
        ("file:", false),
    ] {
        let parsed = definition.parse_input("token", text);
        let bound = definition.bind_inputs(Map::from([("token".to_owned(), text.into())]));
        assert_eq!((parsed.is_ok(), bound.is_ok()), (fits, fits), "{text}");
        if !fits {
            let told = format!("{}{}", parsed.unwrap_err(), bound.unwrap_err());
            assert!(!told.contains("hush") && told.contains("give it as env:NAME or file:PATH"), "{told}");
        }
    }
}
