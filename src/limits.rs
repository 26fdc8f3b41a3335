//! Every bound of the engine with its reason. Reaching one is a typed error or rejection, never a slow death.

/// Nesting of a value, of a document and of an expression. Deeper data is not written by people.
pub const DEPTH_MAX: usize = 128;

/// Bytes of one expression's text.
pub const EXPRESSION_BYTES_MAX: usize = 8 * 1024;

/// Steps one evaluation may take; a step is a node visited, or an element of a list or map compared or searched.
pub const EXPRESSION_FUEL: u64 = 100_000;

/// Bytes of a definition's text. A definition is read by people; larger data belongs into inputs or files.
pub const DEFINITION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a definition's normal form, in which every stage and task has all its settings. With the source it has to
/// fit into one event.
pub const NORMAL_FORM_BYTES_MAX: usize = 11 * 1024 * 1024;

/// Values that the aliases of one definition may repeat. Enough for shared settings; a document that grows by more was
/// made to do harm.
pub const ALIASED_NODES_MAX: usize = 65_536;

/// Problems of one definition that are reported; who has more begins with these.
pub const PROBLEMS_MAX: usize = 1_000;

/// Problems of one text in a definition that are reported: finding the place of each takes a walk through it.
pub const PROBLEMS_PER_TEXT_MAX: usize = 20;

/// Jumps of one workflow unless its definition says otherwise: one that goes on without end is stopped.
pub const JUMPS: u32 = 10;

/// Growth of a retry's delay from try to try. Beyond it a second try would already wait for the longest delay.
pub const RETRY_FACTOR_MAX: u64 = 1_000;

/// Stages of one definition. Indices are `u32`; a graph of this size still validates in well under a second.
pub const STAGES_MAX: usize = 65_536;

/// Arcs of one definition.
pub const ARCS_MAX: usize = 1_048_576;

/// Tasks of one stage; they run one after the other.
pub const TASKS_PER_STAGE_MAX: usize = 1_024;

/// Tokens one workflow may hold at once. Multi-instance over a million items is a batch job, not control flow.
pub const TOKENS_MAX: usize = 65_536;

/// Instances of one activation. A million items are a batch job, not control flow.
pub const INSTANCES_MAX: u32 = 131_072;

/// Instances that one event begins (R3).
pub const INSTANCES_PER_EVENT_MAX: u32 = 1_024;

/// Bytes of the dynamic part of one event: inputs, outputs, context of one outcome, as canonical JSON.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of an error's text that are kept in its event.
pub const ERROR_BYTES_MAX: usize = 100 * 1024;

/// Causes of one error that are kept in its event; a longer chain is a loop.
pub const CAUSES_MAX: usize = 32;

/// Bytes of an error code. It is a name to branch on, not a message.
pub const ERROR_CODE_BYTES_MAX: usize = 64;

/// Events after which settling goes on in a further batch (R4), so that one write stays short.
pub const CHUNK_EVENTS_MAX: usize = 4_096;

/// Bytes of events after which settling goes on in a further batch (R4).
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// Entries of a list in an event, where the event does not name them by the definition (R4).
pub const LISTED_MAX: usize = 4_096;

/// Turns of back arcs since the last input; more of them without outside work is a loop that never ends.
pub const INSTANT_TURNS_MAX: u32 = 1_000;

/// Lost workers in a row after which a task has ended: it probably kills the process that runs it (R15).
pub const WORKERS_LOST_MAX: u32 = 5;

/// Seconds a hook of a task may take behind a timed-out or canceled attempt: it tidies up, and somebody waits for it.
pub const HOOK_SECONDS: u64 = 30;

/// Newest command ids a workflow remembers; older ones are refused as too old (R8).
pub const COMMANDS_REMEMBERED: usize = 256;

/// Signals one workflow keeps until somebody waits for them; a sender is told that there is no room for more.
pub const SIGNALS_BUFFERED_MAX: usize = 4_096;

/// Bytes of data of the signals one workflow keeps: its state holds them.
pub const SIGNALS_BUFFERED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Newest ids of signals, as their senders chose them, that a workflow remembers (R8).
pub const SIGNALS_REMEMBERED: usize = 1_024;

/// Bytes of the id of a signal. It is a key, not data.
pub const SIGNAL_ID_BYTES_MAX: usize = 256;

/// The shortest secret: masking one that is shorter would tear apart texts that have nothing to do with it.
pub const SECRET_BYTES_MIN: usize = 4;

/// The longest secret: streams are held back while they look like the beginning of one.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Names of signals one task waits for at once.
pub const SIGNALS_AWAITED_MAX: usize = 64;

/// Payload bytes of one frame of the log (docs/FORMAT.md).
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Frames of one atomic group.
pub const BATCH_EVENTS_MAX: usize = 65_536;

/// Bytes of one atomic group, headers and padding included.
pub const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Requests in one write of the log.
pub const WRITE_GROUPS_MAX: usize = 4_096;

/// Bytes in one write of the log; one larger group goes alone.
pub const WRITE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How deep workflows may call each other: each level is a workflow of its own, and a mistake should end.
pub const CALL_DEPTH_MAX: u32 = 10_000;

/// File length of the first segment: small, so that a short run leaves little.
pub const SEGMENT_BYTES_FIRST: u64 = 256 * 1024;

/// File length up to which segments grow, four times each.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of events in one answer of a reading call, unless a single event is larger.
pub const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Commands waiting for the owner of the states; callers wait when it is full.
pub const INBOX_COMMANDS_MAX: usize = 8_192;

/// Bytes of one captured stream of a task that stand in its outputs.
pub const STREAM_BYTES_IN_OUTPUTS: usize = 64 * 1024;

/// Bytes of one captured stream of a task that are kept in its file.
pub const STREAM_BYTES_KEPT: u64 = 10 * 1024 * 1024;

/// Bytes of standard error that stand in the error of a failed program.
pub const STREAM_BYTES_IN_ERROR: usize = 4 * 1024;

/// Bytes of an output or result file that a task writes.
pub const OUTPUT_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of an HTTP answer's body that stand in the outputs unless the author allows more; beside it the same as a
/// value, and JSON's own escapes, still fit into an event.
pub const HTTP_BODY_BYTES_IN_OUTPUTS: usize = 256 * 1024;

/// Bytes of an HTTP answer that goes into a file, unless the author allows more.
pub const HTTP_DOWNLOAD_BYTES: u64 = 10 * 1024 * 1024;

/// Bytes of the body that are kept of an HTTP answer that means a failure.
pub const HTTP_FAILURE_BYTES_KEPT: u64 = 64 * 1024;

/// Redirects that one HTTP request can be told to follow.
pub const HTTP_REDIRECTS_MAX: u32 = 50;

/// Bytes of a file of certificates; all that everybody knows are a quarter of it.
pub const HTTP_CERTIFICATE_BYTES_MAX: u64 = 1024 * 1024;

/// Seconds for which a server can have itself left alone: it must not stop a workflow for good.
pub const HTTP_RETRY_AFTER_SECONDS_MAX: u64 = 24 * 60 * 60;

/// Connections to the control socket that are served at once; who comes later waits outside.
pub const CONTROL_CONNECTIONS_MAX: usize = 32;

/// Connections that wait for the engine to end. Each is an open file, of which a process has a thousand or so.
pub const CONTROL_STAYING_MAX: usize = 256;

/// Bytes of one line over the control socket: a definition, its escapes, inputs and payload.
pub const CONTROL_LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seconds in which a request has to come whole; who is slower makes room for others.
pub const CONTROL_LINE_SECONDS: u64 = 10;

/// Seconds in which an answer has to be taken; closing waits for it.
pub const CONTROL_WRITE_SECONDS: u64 = 2;

/// Seconds in which a holder says who it is; it may have to see off others first.
pub const CONTROL_GREETING_SECONDS: u64 = 15;

/// Seconds after which a holder that says nothing is taken for dead; it may have to sync a slow disk first.
pub const CONTROL_ANSWER_SECONDS: u64 = 60;

/// States of a definition that are looked at before its soundness is called unknown: some seconds, and some 100 MiB.
pub const CHECK_STATES_MAX: u64 = 200_000;

/// States of a definition that are looked at before a workflow of it begins: below a second.
pub const CHECK_START_STATES_MAX: u64 = 10_000;

/// States of a definition that are looked at for a witness on it as it was written, once its reduced form has a flaw.
pub const CHECK_WITNESS_STATES_MAX: u64 = 20_000;

/// Tokens on one arc, or activations of one stage at a time, that checking a definition tells apart.
pub const CHECK_BOUND: u32 = 4;

/// Boxes and bends of arcs in the drawing of a definition; a picture of more takes seconds, and nobody reads it.
pub const DRAWN_POINTS_MAX: usize = 262_144;

/// Cells of a drawing that is made of letters: 64 MiB while it is made.
pub const DRAWN_CELLS_MAX: usize = 8 * 1024 * 1024;

const _: () = assert!(CHUNK_EVENTS_MAX < BATCH_EVENTS_MAX, "a chunk is a batch the log takes");
const _: () = assert!(
    NORMAL_FORM_BYTES_MAX + DEFINITION_BYTES_MAX + PAYLOAD_BYTES_MAX / 2 < RECORD_BYTES_MAX,
    "a definition and its source fit into a frame"
);
const _: () = assert!(PAYLOAD_BYTES_MAX < RECORD_BYTES_MAX, "an event with the largest payload fits into a frame");
const _: () =
    assert!(CHUNK_BYTES_MAX + PAYLOAD_BYTES_MAX < BATCH_BYTES_MAX, "a chunk and one more event fit into a batch");
