//! The kinds of problems a definition can have, by name. Says nothing about where they are found.

use std::fmt;

use crate::failure::anchor;

macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// What kind of problem it is. The names never change; there will be more of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ProblemCode {
            /// Every kind there is.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$variant,)+];

            /// The name it is printed with: `UNKNOWN_KEY`.
            pub fn name(self) -> &'static str {
                match self {
                    $(ProblemCode::$variant => $name,)+
                }
            }

            /// Where the documentation explains it: `docs/ERRORS.md#unknown_key`.
            pub fn anchor(self) -> String {
                anchor(self.name())
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(ProblemCode::$variant => concat!($($doc,)+).trim_ascii(),)+
                }
            }
        }
    };
}

problem_codes! {
    /// The file could not be read, or is not UTF-8.
    UnreadableFile = "UNREADABLE_FILE";
    /// The text is longer than a definition may be.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE";
    /// Lists and maps are nested too deep.
    TooDeep = "TOO_DEEP";
    /// The text is not YAML, or not JSON; what follows the place was not read.
    SyntaxError = "SYNTAX_ERROR";
    /// The text holds more than one YAML document.
    SeveralDocuments = "SEVERAL_DOCUMENTS";
    /// A key stands twice in one map.
    DuplicateKey = "DUPLICATE_KEY";
    /// The merge key `<<` of YAML 1.1 is not understood.
    MergeKey = "MERGE_KEY";
    /// A key is not plain text.
    BadKey = "BAD_KEY";
    /// A YAML tag stands before a value.
    BadTag = "BAD_TAG";
    /// A number is not finite, does not fit into 128 bits, or has a leading zero.
    BadNumber = "BAD_NUMBER";
    /// Aliases repeat too much of the document.
    TooManyAliases = "TOO_MANY_ALIASES";
    /// An alias names an anchor that does not stand before it.
    UnknownAnchor = "UNKNOWN_ANCHOR";
    /// A key that means nothing here.
    UnknownKey = "UNKNOWN_KEY";
    /// A key, value or name that the language has and this version does not do yet.
    NotSupported = "NOT_SUPPORTED";
    /// A key that has to be there is not.
    MissingKey = "MISSING_KEY";
    /// A key is written together with another spelling of it.
    KeyAndAlias = "KEY_AND_ALIAS";
    /// Two keys that exclude each other are both written.
    ConflictingKeys = "CONFLICTING_KEYS";
    /// A value of another type is needed here.
    WrongType = "WRONG_TYPE";
    /// A value that is none of those that can stand here.
    BadValue = "BAD_VALUE";
    /// A number or length lies outside its range.
    OutOfRange = "OUT_OF_RANGE";
    /// Of two bounds, the greatest is less than the least.
    CrossedBounds = "CROSSED_BOUNDS";
    /// A name holds characters a name cannot have, or is reserved.
    BadName = "BAD_NAME";
    /// Text that should be a length of time, like `90s`, and is not.
    BadDuration = "BAD_DURATION";
    /// A length of time is written without its unit.
    BareNumberDuration = "BARE_NUMBER_DURATION";
    /// Text that should be a moment in RFC 3339, and is not.
    BadInstant = "BAD_INSTANT";
    /// Text that should be a regular expression, and is not.
    BadPattern = "BAD_PATTERN";
    /// The default of an input does not fit what the input declares.
    BadDefault = "BAD_DEFAULT";
    /// One of the values an input may have does not fit what the input declares.
    BadChoice = "BAD_CHOICE";
    /// A definition without stages.
    NoStages = "NO_STAGES";
    /// An ORCHESTRATION has exactly one stage.
    OneStageOnly = "ONE_STAGE_ONLY";
    /// More stages than a definition may have.
    TooManyStages = "TOO_MANY_STAGES";
    /// More arcs than a definition may have.
    TooManyArcs = "TOO_MANY_ARCS";
    /// More tasks than a stage may have.
    TooManyTasks = "TOO_MANY_TASKS";
    /// Two stages have one ref id.
    DuplicateStage = "DUPLICATE_STAGE";
    /// Two tasks of a stage have one name.
    DuplicateTask = "DUPLICATE_TASK";
    /// One stage is named twice in a list.
    DuplicateReference = "DUPLICATE_REFERENCE";
    /// A stage is named that does not exist.
    UnknownStage = "UNKNOWN_STAGE";
    /// A stage needs itself.
    NeedsItself = "NEEDS_ITSELF";
    /// Stages need each other in a circle, so that none could start.
    CycleWithoutBackEdge = "CYCLE_WITHOUT_BACK_EDGE";
    /// A field of a conditional split on a stage whose split has no conditions.
    SplitFieldWithoutSplit = "SPLIT_FIELD_WITHOUT_SPLIT";
    /// A branch leads to a stage that does not need this one.
    NotASuccessor = "NOT_A_SUCCESSOR";
    /// A successor of a conditional split has neither a condition nor is it the default.
    BranchNeverTaken = "BRANCH_NEVER_TAKEN";
    /// The order of a split does not name each of its conditions once.
    SplitOrderIncomplete = "SPLIT_ORDER_INCOMPLETE";
    /// An expression that cannot be read.
    BadExpression = "BAD_EXPRESSION";
    /// `${{` without `}}`.
    UnclosedExpression = "UNCLOSED_EXPRESSION";
    /// `${{` in a field that is not computed.
    TemplateNotAllowed = "TEMPLATE_NOT_ALLOWED";
    /// `${{` inside single quotes of shell text, where no variable is read.
    TemplateInSingleQuotes = "TEMPLATE_IN_SINGLE_QUOTES";
    /// `${{` inside a quoted here-document of shell text, where no variable is read.
    TemplateInQuotedHereDocument = "TEMPLATE_IN_QUOTED_HERE_DOCUMENT";
    /// `${{` inside shell arithmetic, which would run a value as code.
    TemplateInArithmetic = "TEMPLATE_IN_ARITHMETIC";
    /// `${{` at a place of shell text where a value cannot stand.
    TemplateInShellSyntax = "TEMPLATE_IN_SHELL_SYNTAX";
    /// An expression uses a name that does not exist, or not there.
    UnknownName = "UNKNOWN_NAME";
    /// A secret stands where its value would be recorded or could be seen.
    SecretNotAllowed = "SECRET_NOT_ALLOWED";
    /// An expression uses an input that is not declared.
    UnknownInput = "UNKNOWN_INPUT";
    /// An expression reads a stage that has not always ended before.
    NotAnAncestor = "NOT_AN_ANCESTOR";
    /// An expression reads a task that does not run before.
    NotAnEarlierTask = "NOT_AN_EARLIER_TASK";
    /// Outputs of a stage are used that may have been passed by.
    OutputMayBeMissing = "OUTPUT_MAY_BE_MISSING";
    /// A stage waits for two branches of a conditional split, which takes only one of them.
    JoinNeverFires = "JOIN_NEVER_FIRES";
    /// Two stages that may run in parallel write one output; the one defined later wins.
    ParallelWriters = "PARALLEL_WRITERS";
    /// A workflow or stage is scheduled for a moment after its expiry.
    NeverStarts = "NEVER_STARTS";
    /// A stage is canceled by its own success.
    CancelsItself = "CANCELS_ITSELF";
    /// A workflow ends only at nominated stages, and from this stage no path leads to one.
    NotOnPath = "NOT_ON_PATH";
    /// Stages that each wait for all that leads to them stand in a circle, so that none of them ever starts.
    CycleOfAndJoins = "CYCLE_OF_AND_JOINS";
    /// A region is named in which no stage lies.
    UnknownRegion = "UNKNOWN_REGION";
    /// A definition is called that does not stand in the document.
    UnknownDefinition = "UNKNOWN_DEFINITION";
    /// Every way through a definition calls one that cannot end, as itself.
    NoBaseCase = "NO_BASE_CASE";
    /// A definition in a file is refused, or the files call each other in a circle.
    BadDefinitionFile = "BAD_DEFINITION_FILE";
    /// A stage is named from outside its block, which control enters and leaves only by the stage around it.
    CrossesBlock = "CROSSES_BLOCK";
    /// A stage of an interleaved group does not run exactly once whenever the others do.
    InterleavedNotOnce = "INTERLEAVED_NOT_ONCE";
    /// Stages of an interleaved group need each other though they are to run in any order, or differ about the order.
    InterleavedInOrder = "INTERLEAVED_IN_ORDER";
    /// The stages of a critical section do not hang together.
    SectionNotConnected = "SECTION_NOT_CONNECTED";
    /// A stage belongs to two critical sections.
    SectionsOverlap = "SECTIONS_OVERLAP";
    /// Who holds one lock may wait for another, whose holder may wait for the first.
    LockCycle = "LOCK_CYCLE";
    /// A field of a join that counts arrivals or merges threads on a stage whose join does neither.
    JoinFieldWithoutJoin = "JOIN_FIELD_WITHOUT_JOIN";
    /// A join waits for more arrivals than it has arcs.
    ThresholdTooLarge = "THRESHOLD_TOO_LARGE";
    /// The split that is said to belong to a join is not the one from which all its branches come.
    WrongJoinPair = "WRONG_JOIN_PAIR";
    /// The branches of a structured join are not just those of one split, or do not bring one token each.
    NotStructured = "NOT_STRUCTURED";
    /// What a cancelling join withdraws has other ways in or out.
    OpenCancelScope = "OPEN_CANCEL_SCOPE";
    /// A merge of threads has more than one arc, or none.
    MergeOfSeveralArcs = "MERGE_OF_SEVERAL_ARCS";
    /// The branches of a join are not those of one parallel split; it blocks where it was not asked to.
    JoinBlocks = "JOIN_BLOCKS";
    /// An arc leads back between a join that excludes circles and its split.
    LoopInAcyclicCone = "LOOP_IN_ACYCLIC_CONE";
    /// A part of the branches of a structured join can be canceled.
    PartialCancelInStructuredRegion = "PARTIAL_CANCEL_IN_STRUCTURED_REGION";
    /// A deferred choice has one alternative only.
    ChoiceOfOne = "CHOICE_OF_ONE";
    /// The stages of a deferred choice are not offered together by one stage before them.
    ChoiceWithoutSplit = "CHOICE_WITHOUT_SPLIT";
    /// An alternative of a deferred choice has a gate that would keep it from being offered, or does something before
    /// it is chosen.
    AlternativeHeldBack = "ALTERNATIVE_HELD_BACK";
    /// A stage takes the tokens of two deferred choices at once.
    AlternativeOfTwo = "ALTERNATIVE_OF_TWO";
    /// Instances are named of a stage that has none.
    NoInstances = "NO_INSTANCES";
    /// Where loops of tasks in a stage begin and end does not fit: one inside another, or an end without a beginning.
    LoopOfTasks = "LOOP_OF_TASKS";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
