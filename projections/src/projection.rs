//! What a read model is: something that takes in events, one after the other, and can begin again.

use stabilize::Envelope;

/// A read model built from events. Whatever it shows can be built again from the log; it decides nothing.
///
/// It is given every event of the log once, in the order of positions, and must depend on nothing else: built while the
/// events happen or all at once later, it is the same.
pub trait Projection {
    /// Its name, unique among the projections of a program.
    fn name(&self) -> &str;

    /// Takes in the next event.
    fn apply(&mut self, envelope: &Envelope);

    /// Forgets everything: the next event is the first of the log.
    fn reset(&mut self);
}
