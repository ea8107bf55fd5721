//! The objects that accumulators keep beside plain values, written once.
//!
//! [`for_each_object!`](crate::for_each_object) lists each type of the runtime with its methods: `tell` changes the object, `ask` does not. Each
//! can also be merged with a newer one.

/// Hands the list of objects to the macro named.
#[macro_export]
macro_rules! for_each_object {
    ($expand:ident) => {
        $expand! {
            DistinctSet {
                tell add_int(Int); tell add_float(Float); tell add_bool(Bool); tell add_text(Text);
                tell add_timestamp(Timestamp); tell add_decimal(Decimal); tell add_duration(Duration); tell add_json(Json); tell add_packed(Packed); tell add_variant(Enum);
                ask len() -> Int; ask packed() -> Packed;
            }
            Collected {
                tell add_int(Int); tell add_float(Float); tell add_bool(Bool); tell add_text(Text);
                tell add_timestamp(Timestamp); tell add_decimal(Decimal); tell add_duration(Duration); tell add_json(Json); tell add_packed(Packed); tell add_variant(Enum);
                ask packed() -> Packed;
            }
            Largest {
                tell limit(Int);
                tell add_int(Int); tell add_float(Float); tell add_bool(Bool); tell add_text(Text);
                tell add_timestamp(Timestamp); tell add_decimal(Decimal); tell add_duration(Duration); tell add_json(Json); tell add_packed(Packed); tell add_variant(Enum);
                ask packed() -> Packed;
            }
            DistinctSketch {
                tell add_int(Int); tell add_float(Float); tell add_bool(Bool); tell add_text(Text);
                tell add_timestamp(Timestamp); tell add_decimal(Decimal); tell add_duration(Duration); tell add_json(Json); tell add_packed(Packed); tell add_variant(Enum);
                ask len() -> Int;
            }
            PercentileSketch {
                tell add(Float);
                ask percentile(Float) -> MaybeFloat;
            }
            Sorted {
                tell add(Float);
                ask percentile(Float) -> MaybeFloat;
            }
        }
    };
}
