//! The small language of conditions and mappings; pure and bounded by fuel.
