//! Given a workflow with a past, when something happens, then these events and nothing else: tests as data.
//!
//! ```text
//! given(&definition).done(["a"]).when(complete("b")).then(["task.reported b SUCCEEDED", ..]).status("SUCCEEDED");
//! ```
//!
//! Events are compared as the lines of `notation`. What does not hold is a panic that tells the whole story.

use crate::definition::Definition;
use crate::event::{Creation, Json};
use crate::status::Status;
use crate::value::{Map, Value};

use super::course::Course;
use super::happening::{Happening, complete, create};

/// A workflow of `definition`, for a test.
pub fn given(definition: &Definition) -> Given {
    Given { course: Course::new(definition), inputs: Map::new(), created: false }
}

/// A workflow with a past.
#[derive(Debug)]
pub struct Given {
    course: Course,
    inputs: Map,
    created: bool,
}

/// What came of something that happened.
#[derive(Debug)]
pub struct When {
    course: Course,
    outcome: Result<Vec<String>, String>,
}

/// A workflow of which something was found true.
#[derive(Debug)]
pub struct Then {
    course: Course,
}

impl Given {
    /// It is created with this input.
    pub fn input(mut self, key: &str, value: impl Into<Value>) -> Given {
        self.inputs.insert(key.to_owned(), value.into());
        self
    }

    /// It is created with other things changed.
    pub fn created_with(mut self, change: impl FnOnce(&mut Creation)) -> Given {
        change(self.course.creation_mut());
        self
    }

    /// These tasks have succeeded, one after the other.
    ///
    /// # Panics
    ///
    /// If the workflow awaits none of them.
    pub fn done<'n>(self, works: impl IntoIterator<Item = &'n str>) -> Given {
        self.after(works.into_iter().map(complete))
    }

    /// All this has happened.
    ///
    /// # Panics
    ///
    /// If the workflow refuses some of it.
    pub fn after(mut self, happenings: impl IntoIterator<Item = Happening>) -> Given {
        self.create();
        for happening in happenings {
            self.course.happen(&happening);
        }
        self
    }

    /// This happens now.
    ///
    /// # Panics
    ///
    /// If an invariant breaks.
    pub fn when(mut self, happening: Happening) -> When {
        if happening.is_creation() {
            self.fill();
        } else {
            self.create();
        }
        When::of(self.course, &happening)
    }

    fn fill(&mut self) {
        if !self.inputs.is_empty() {
            self.course.creation_mut().inputs = Json::of(&self.inputs);
        }
    }

    fn create(&mut self) {
        if !self.created {
            self.fill();
            self.course.happen(&create());
            self.created = true;
        }
    }
}

impl When {
    fn of(mut course: Course, happening: &Happening) -> When {
        let outcome = course.attempt(happening).map_err(|rejection| rejection.code().to_owned());
        When { course, outcome }
    }

    /// It led to exactly these events.
    ///
    /// # Panics
    ///
    /// If it did not.
    pub fn then<'l>(self, expected: impl IntoIterator<Item = &'l str>) -> Then {
        let expected: Vec<&str> = expected.into_iter().collect();
        let found = self.found();
        assert!(found == expected, "expected\n  {}\nfound\n  {}", expected.join("\n  "), found.join("\n  "));
        Then { course: self.course }
    }

    /// It led to these events among others, in this order.
    ///
    /// # Panics
    ///
    /// If it did not.
    pub fn then_among<'l>(self, expected: impl IntoIterator<Item = &'l str>) -> Then {
        let found = self.found();
        let mut rest = found.iter();
        for line in expected {
            assert!(rest.any(|found| found == line), "no {line} in its place among\n  {}", found.join("\n  "));
        }
        Then { course: self.course }
    }

    /// It was refused with this code and changed nothing.
    ///
    /// # Panics
    ///
    /// If it was accepted, or refused for another reason.
    pub fn refused(self, code: &str) -> Then {
        assert_eq!(self.outcome.as_ref().map_err(String::as_str), Err(code));
        Then { course: self.course }
    }

    fn found(&self) -> &[String] {
        match &self.outcome {
            Ok(lines) => lines,
            Err(code) => panic!("refused: {code}\n{}", self.course.story()),
        }
    }
}

impl Then {
    /// The workflow has this status.
    ///
    /// # Panics
    ///
    /// If it has another.
    pub fn status(self, status: Status) -> Then {
        assert_eq!(self.course.status(), status, "\n{}", self.course.story());
        self
    }

    /// The workflow asks for exactly this: attempts by name, `timer 1 due 90s`, `continue`.
    ///
    /// # Panics
    ///
    /// If it asks for something else.
    pub fn open<'n>(self, expected: impl IntoIterator<Item = &'n str>) -> Then {
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(self.course.open(), expected, "\n{}", self.course.story());
        self
    }

    /// So many activations of the stage have started.
    ///
    /// # Panics
    ///
    /// If it were more or fewer.
    pub fn activations(self, stage: &str, expected: usize) -> Then {
        assert_eq!(self.course.activations(stage), expected, "activations of {stage}\n{}", self.course.story());
        self
    }

    /// Something else happens.
    ///
    /// # Panics
    ///
    /// If an invariant breaks.
    pub fn when(self, happening: Happening) -> When {
        When::of(self.course, &happening)
    }

    /// All this happens, and is accepted.
    ///
    /// # Panics
    ///
    /// If the workflow refuses some of it.
    pub fn after(mut self, happenings: impl IntoIterator<Item = Happening>) -> Then {
        for happening in happenings {
            self.course.happen(&happening);
        }
        self
    }

    /// These tasks succeed, one after the other.
    ///
    /// # Panics
    ///
    /// If the workflow awaits none of them.
    pub fn done<'n>(self, works: impl IntoIterator<Item = &'n str>) -> Then {
        self.after(works.into_iter().map(complete))
    }

    /// The workflow with all that has happened to it.
    pub fn course(&self) -> &Course {
        &self.course
    }
}
