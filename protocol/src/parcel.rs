//! stub
/// Most parts.
pub const MAX_PARTS: u32 = 4096;
