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
    /// An ordered value, then a constant number (`top_k`).
    OrderedAndConstant,
    /// A condition.
    Condition,
    /// Any value, then an ordered one.
    ValueAndOrdered,
    /// Two numbers.
    TwoNumbers,
}

macro_rules! aggregates {
    ($($variant:ident $name:literal $argument:ident $doc:literal;)*) => {
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
        }
    };
}

aggregates! {
    Count "count" Optional "The number of records, or of values that are not null.";
    Sum "sum" Number "The sum; 0 over nothing. Of int it is int and checked.";
    Avg "avg" Number "The arithmetic mean.";
    Min "min" Ordered "The smallest value; NaN is skipped.";
    Max "max" Ordered "The largest value; NaN is skipped.";
    Stddev "stddev" Number "The sample standard deviation; null below two values.";
    StddevPop "stddev_pop" Number "The standard deviation of the whole population.";
    Variance "variance" Number "The sample variance; null below two values.";
    VarPop "var_pop" Number "The variance of the whole population.";
    Median "median" Number "The 50th percentile.";
    Percentile "percentile" NumberAndConstant "The p-th percentile, p in 0..100, interpolated at rank p/100·(n−1).";
    First "first" Value "The first value.";
    Last "last" Value "The last value.";
    CountDistinct "count_distinct" Value "The number of different values.";
    CollectDistinct "collect_distinct" Value "The different values, in order of first appearance.";
    Ema "ema" NumberAndConstant "The exponential moving average, alpha = 2/(n+1).";
    Collect "collect" Value "All values, in order.";
    ApproxPercentile "approx_percentile" NumberAndConstant "The value at rank p/100·(n−1), rounded down, within 1 %; for large windows.";
    ApproxCountDistinct "approx_count_distinct" Value "The number of different values: exact up to 512, beyond that within some 2 %.";
    ArgMax "arg_max" ValueAndOrdered "x of the record whose `by` is largest, of the first of them; NaN is smallest, and what is null in x or `by` is skipped.";
    ArgMin "arg_min" ValueAndOrdered "x of the record whose `by` is smallest, of the first of them; NaN is largest, and what is null in x or `by` is skipped.";
    Any "any" Condition "Whether the condition is true of any record.";
    Every "every" Condition "Whether the condition is true of every record that does not leave it null.";
    TopK "top_k" OrderedAndConstant "The k largest values, the largest first; NaN is the smallest.";
    Covar "covar" TwoNumbers "The sample covariance of two numbers; null below two pairs.";
    Corr "corr" TwoNumbers "Pearson's correlation of two numbers; null below two pairs, and where one of them never changes.";
    Slope "slope" Number "The slope of the least-squares line over `ts`, per second; null below two records, and where `ts` never changes.";
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
            Aggregate::Count | Aggregate::CountDistinct | Aggregate::ApproxCountDistinct => Type::INT,
            Aggregate::Sum => match argument.map(|t| &t.kind) {
                Some(Kind::Int) => Type::INT,
                Some(Kind::Decimal(_, scale)) => Type::new(Kind::Decimal(38, *scale)),
                _ => Type::FLOAT,
            },
            Aggregate::Avg
            | Aggregate::StddevPop
            | Aggregate::VarPop
            | Aggregate::Ema
            | Aggregate::Median
            | Aggregate::Percentile
            | Aggregate::ApproxPercentile => Type { kind: Kind::Float, nullable: may_be_empty },
            Aggregate::Stddev | Aggregate::Variance | Aggregate::Covar | Aggregate::Corr | Aggregate::Slope => Type::optional(Kind::Float),
            Aggregate::Any | Aggregate::Every => Type { kind: Kind::Bool, nullable: may_be_empty },
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last | Aggregate::ArgMax | Aggregate::ArgMin => {
                value(argument).with_null(may_be_empty)
            }
            Aggregate::CollectDistinct | Aggregate::Collect | Aggregate::TopK => Type::new(Kind::Array(Box::new(value(argument)))),
        }
    }
}
