//! The aggregates: names, arguments and result types. What they accumulate is in [`crate::lower::accumulators`].

use crate::analysis::types::{Kind, Type};

/// What an aggregate takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing, or any one value (`count`).
    Optional,
    /// Any value.
    Value,
    /// A number.
    Number,
    /// An ordered value.
    Ordered,
    /// A number, then a constant number (`percentile`, `ema`).
    NumberAndConstant,
}

macro_rules! aggregates {
    ($($variant:ident $name:literal $argument:ident $compiled:literal $doc:literal;)*) => {
        /// An aggregate of the language (§6).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the table's texts say it")]
        pub enum Aggregate { $($variant),* }
        impl Aggregate {
            /// Every one.
            pub const ALL: &'static [Aggregate] = &[$(Aggregate::$variant),*];
            /// Its name in a program.
            pub fn name(self) -> &'static str { match self { $(Aggregate::$variant => $name),* } }
            /// What it takes.
            pub fn argument(self) -> Argument { match self { $(Aggregate::$variant => Argument::$argument),* } }
            /// What it computes.
            pub fn doc(self) -> &'static str { match self { $(Aggregate::$variant => $doc),* } }
            /// Whether the backends have it.
            pub fn is_compiled(self) -> bool { match self { $(Aggregate::$variant => $compiled),* } }
        }
    };
}

aggregates! {
    Count "count" Optional true "The number of records, or of values that are not null.";
    Sum "sum" Number true "The sum; 0 over nothing. Of int it is int and checked.";
    Avg "avg" Number true "The arithmetic mean.";
    Min "min" Ordered true "The smallest value; NaN is skipped.";
    Max "max" Ordered true "The largest value; NaN is skipped.";
    Stddev "stddev" Number true "The sample standard deviation; null below two values.";
    StddevPop "stddev_pop" Number true "The standard deviation of the whole population.";
    Variance "variance" Number true "The sample variance; null below two values.";
    VarPop "var_pop" Number true "The variance of the whole population.";
    Median "median" Number true "The 50th percentile.";
    Percentile "percentile" NumberAndConstant true "The p-th percentile, p in 0..100, interpolated at rank p/100·(n−1).";
    First "first" Value true "The first value.";
    Last "last" Value true "The last value.";
    CountDistinct "count_distinct" Value true "The number of different values.";
    CollectDistinct "collect_distinct" Value true "The different values, in order of first appearance.";
    Ema "ema" NumberAndConstant true "The exponential moving average, alpha = 2/(n+1).";
    Collect "collect" Value true "All values, in order.";
    ApproxPercentile "approx_percentile" NumberAndConstant false "The p-th percentile, approximately.";
    ApproxCountDistinct "approx_count_distinct" Value false "The number of different values, approximately.";
    ArgMax "arg_max" Value false "The value at the largest `by`.";
    ArgMin "arg_min" Value false "The value at the smallest `by`.";
    Any "any" Value false "Whether any record fulfils p.";
    Every "every" Value false "Whether all records fulfil p.";
    TopK "top_k" Value false "The k largest values.";
    Covar "covar" Value false "The covariance of two numbers.";
    Corr "corr" Value false "The correlation of two numbers.";
    Slope "slope" Number false "The least-squares slope per second.";
}

impl Aggregate {
    /// The aggregate of that name.
    pub fn find(name: &str) -> Option<Aggregate> {
        Aggregate::ALL.iter().copied().find(|a| a.name() == name)
    }

    /// The result's type for an argument type; `may_be_empty` if a window with records can leave it without values.
    pub fn result(self, argument: Option<&Type>, may_be_empty: bool) -> Type {
        let value = |t: Option<&Type>| t.map_or(Type::ERROR, |t| t.without_null());
        match self {
            Aggregate::Count | Aggregate::CountDistinct => Type::INT,
            Aggregate::Sum => match argument.map(|t| &t.kind) {
                Some(Kind::Int) => Type::INT,
                _ => Type::FLOAT,
            },
            Aggregate::Avg | Aggregate::StddevPop | Aggregate::VarPop | Aggregate::Ema | Aggregate::Median | Aggregate::Percentile => {
                Type { kind: Kind::Float, nullable: may_be_empty }
            }
            Aggregate::Stddev | Aggregate::Variance => Type::optional(Kind::Float),
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => value(argument).with_null(may_be_empty),
            Aggregate::CollectDistinct | Aggregate::Collect => Type::new(Kind::Array(Box::new(value(argument)))),
            _ => Type::ERROR,
        }
    }
}
