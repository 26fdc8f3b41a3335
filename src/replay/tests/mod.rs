//! Behaviour of replay over histories that the machine itself has made.

mod history;
mod property;
mod view;

use crate::definition::Definition;
use crate::value::{Map, Value};

/// A stage that everything begins with, two side by side, one that joins them, and a choice behind it.
const RELEASE: &str = "
name: release
application: shop
inputs: { ref: { type: string, default: main } }
stages:
  checkout: { run: git checkout, name: Check out }
  lint: { needs: [checkout], if: \"lint\", run: make lint, on_failure: continue }
  test:
    needs: [checkout]
    tasks:
      - { name: unit, run: make test, retry: { max_attempts: 3, initial: 1s } }
      - { name: report, run: make report }
  deploy:
    needs: [lint, test]
    uses: shell
    with: { command: ./deploy.sh }
    context: { region: eu }
    split_type: XOR
    split_conditions: { notify: notify == true, $end: 'true' }
  notify: { needs: [deploy], run: ./notify.sh }
";

fn definition(yaml: &str) -> Definition {
    Definition::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"))
}

fn map<V: Into<Value>>(entries: impl IntoIterator<Item = (&'static str, V)>) -> Map {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}
