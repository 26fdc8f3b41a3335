//! What to do about each kind of problem, where nothing better is known at its place.

use super::code::ProblemCode;

impl ProblemCode {
    /// What to do about it, in a sentence. A problem whose place tells more says that instead.
    pub fn cure(self) -> &'static str {
        match self {
            ProblemCode::UnreadableFile => "check the file's name, its rights and that it is UTF-8",
            ProblemCode::DocumentTooLarge => "move data into inputs or files that tasks read",
            ProblemCode::TooDeep => "nest lists and maps less",
            ProblemCode::SyntaxError => "look for a missing quote, colon, bracket or indent at or before this place",
            ProblemCode::SeveralDocuments => "write each definition into a file of its own, without `---` between",
            ProblemCode::DuplicateKey => "remove one of the two",
            ProblemCode::MergeKey => "write the keys out; an alias as a value is allowed",
            ProblemCode::BadKey => "write the key as plain text",
            ProblemCode::BadTag => "remove the tag; types follow from how a value is written",
            ProblemCode::BadNumber => "write a finite number of at most 128 bits, or put it in quotes as text",
            ProblemCode::TooManyAliases => "write the repeated part out where it is needed",
            ProblemCode::UnknownAnchor => "define the anchor (`&name`) before the alias (`*name`)",
            ProblemCode::UnknownKey => "remove the key, or check its spelling",
            ProblemCode::NotSupported => "leave it out; a later version will have it",
            ProblemCode::MissingKey => "add the key",
            ProblemCode::KeyAndAlias => "keep one of the two spellings",
            ProblemCode::ConflictingKeys => "keep one of the two keys",
            ProblemCode::WrongType => "write a value of that type; quotes make text of anything",
            ProblemCode::BadValue => "write one of the values that can stand here",
            ProblemCode::OutOfRange => "write a value within the range",
            ProblemCode::CrossedBounds => "exchange the two, or leave one out",
            ProblemCode::BadName => "write letters, digits, `_` and `-`, at most 64, not `-` first",
            ProblemCode::BadDuration => "write numbers with units, like 300ms, 90s, 1h30m or 2d",
            ProblemCode::BareNumberDuration => "write the unit: 5s, 300ms, 2h",
            ProblemCode::BadInstant => "write a moment like 2026-05-01T12:00:00Z",
            ProblemCode::BadPattern => "correct the regular expression",
            ProblemCode::BadDefault => "write a default that fits the declared type and bounds",
            ProblemCode::BadChoice => "write values that fit the declared type and bounds",
            ProblemCode::NoStages => "add a stage: stages: { first: { run: \"echo hello\" } }",
            ProblemCode::OneStageOnly => "keep one stage, or write type: PIPELINE",
            ProblemCode::TooManyStages | ProblemCode::TooManyArcs => "split the work into several workflows",
            ProblemCode::TooManyTasks => "split the stage into several",
            ProblemCode::DuplicateStage | ProblemCode::DuplicateTask => "give one of the two another name",
            ProblemCode::DuplicateReference => "name the stage once",
            ProblemCode::UnknownStage => "name a stage of this definition",
            ProblemCode::NeedsItself => "remove it from its own `needs`",
            ProblemCode::CycleWithoutBackEdge => "write one of these `needs` as back_from, or remove it",
            ProblemCode::SplitFieldWithoutSplit => "write split_type: XOR, or remove the field",
            ProblemCode::NotASuccessor => "name a stage that has this one in its `needs`, or $end",
            ProblemCode::BranchNeverTaken => "give it a condition in split_conditions, or make it split_default",
            ProblemCode::SplitOrderIncomplete => "name each stage of split_conditions once",
            ProblemCode::BadExpression => "write names, literals, comparisons, and, or, not, in, is; nothing is called",
            ProblemCode::UnclosedExpression => "close it with `}}`, or write `$${{` for the characters themselves",
            ProblemCode::TemplateNotAllowed => "write the value itself; only computed fields may hold `${{ }}`",
            ProblemCode::TemplateInSingleQuotes
            | ProblemCode::TemplateInQuotedHereDocument
            | ProblemCode::TemplateInArithmetic
            | ProblemCode::TemplateInShellSyntax => "put it into env: and read the variable there",
            ProblemCode::SecretNotAllowed => {
                "hand it over in `with`, `env` or `run` of a task: programs read it from `env` or `stdin`"
            }
            ProblemCode::UnknownName => "use inputs, context, stages, tasks, env, workflow, trigger, stage or task",
            ProblemCode::UnknownInput => "declare it under inputs:",
            ProblemCode::NotAnAncestor => "add the stage to `needs`, directly or through others",
            ProblemCode::NotAnEarlierTask => "name a task that stands before this one in its stage",
            ProblemCode::OutputMayBeMissing => "test for the value, or leave the branch out with a split",
            ProblemCode::ParallelWriters => "give the outputs different names",
            ProblemCode::CancelsItself => "name another stage",
            ProblemCode::UnknownRegion => "write cancel_region: NAME on the stages that lie in it",
            ProblemCode::NotOnPath => "lead it to a stage with end: terminate, or write termination: implicit",
            ProblemCode::UnknownDefinition => "write it under `definitions:`, or name its file: ./FILE.yaml",
            ProblemCode::NoBaseCase => "let a split lead past the stage that calls it",
            ProblemCode::BadDefinitionFile => "mend that file; files may not call each other in a circle",
            ProblemCode::NoInstances => "write stage: NAME, or give that stage mi_config, for_each or matrix",
            ProblemCode::NeverStarts => "write a scheduled_time before the start_time_expiry",
            ProblemCode::CrossesBlock => "name the stage around the block, or put both into one block",
            _ => self.cure_of_join(),
        }
    }

    /// What to do about a join that does not fit the arcs around it. That every code is either here or there is tested.
    fn cure_of_join(self) -> &'static str {
        match self {
            ProblemCode::JoinNeverFires => "write join_type: XOR",
            ProblemCode::CycleOfAndJoins => "write join_type: XOR, MULTI_MERGE or OR where the circle is entered",
            ProblemCode::JoinFieldWithoutJoin => "write the join_type it belongs to, or remove the field",
            ProblemCode::ThresholdTooLarge => "lower join_threshold to what can come",
            ProblemCode::WrongJoinPair => "leave join_pair out: the split is found by itself",
            ProblemCode::LoopInAcyclicCone => "write or_scope: general, by which the join decides in any case",
            ProblemCode::OpenCancelScope => {
                "name what is withdrawn: join_cancel_scope: { stages: [..] }, or { region: NAME }"
            }
            ProblemCode::MergeOfSeveralArcs => "let the arcs meet in a stage with join_type: MULTI_MERGE before",
            ProblemCode::JoinBlocks => "write join_mode: blocking, or fit the branches",
            ProblemCode::NotStructured | ProblemCode::PartialCancelInStructuredRegion => {
                "write join_mode: blocking; of an OR-join or_scope: general"
            }
            _ => of_groups(self),
        }
    }
}

/// What to do where stages do not fit the others of a choice, group or section.
fn of_groups(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::ChoiceOfOne => "add an alternative, or leave the choice out",
        ProblemCode::ChoiceWithoutSplit => "add one stage to the needs of all that are in the group",
        ProblemCode::AlternativeHeldBack => "put it on a stage behind the alternative",
        ProblemCode::AlternativeOfTwo => "write join_type: XOR, or put a stage of its own behind each choice",
        ProblemCode::InterleavedNotOnce => "take it out, or put the whole group behind one AND split",
        ProblemCode::InterleavedInOrder => "write order: partial for all of the group",
        ProblemCode::SectionNotConnected => "make two sections of it, or add the stages between",
        ProblemCode::LoopOfTasks => {
            "write loop_start: true where a loop begins, and loop_end: true before the next begins"
        }
        ProblemCode::SectionsOverlap | ProblemCode::LockCycle => "take it out of one of the two",
        // A test holds every other kind to a cure above.
        _ => "",
    }
}
