//! The `varpulis!` macro.
