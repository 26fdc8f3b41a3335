//! What the data of a jump say of what it undoes. What the event is, is not its matter.

use crate::event::{Firing, Rewound};
use crate::ids::ArcIndex;
use crate::value::Value;

use super::{Fields, named};

impl Fields<'_> {
    /// What was undone before control went back.
    pub(super) fn undone(&mut self, rewound: &Rewound) {
        let way = |arc: &ArcIndex| self.ends_of(*arc).map(Value::map);
        let canceled = rewound.canceled.iter().map(|id| Value::from(named(self.graph, id.stage)));
        let removed = rewound.removed.iter().filter_map(|token| way(&token.arc));
        let put_back = rewound.put_back.iter().filter_map(|put| way(&put.arc));
        let forgotten = rewound.joins.iter().flat_map(|join| &join.forgotten).filter_map(way);
        let reopened = rewound.joins.iter().filter(|join| join.firing == Firing::Undone);
        let reopened = reopened.map(|join| Value::from(named(self.graph, join.stage)));
        let undone = Value::map([
            ("activation", Value::from(rewound.to.number)),
            ("canceled", Value::list(canceled)),
            ("removed", Value::list(removed)),
            ("put_back", Value::list(put_back)),
            ("forgotten", Value::list(forgotten)),
            ("reopened", Value::list(reopened)),
        ]);
        self.put("undone", undone);
    }
}
