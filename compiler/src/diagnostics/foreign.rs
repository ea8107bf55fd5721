//! What things are called in other languages, and here.

/// Operators of streams.
pub const OPERATORS: &[(&str, &[&str])] = &[
    ("partition_by", &["group_by", "key_by", "groupby", "partition", "by", "per"]),
    ("select", &["project", "with_columns", "fields", "rename", "extend"]),
    ("limit", &["take", "head", "first_n"]),
    ("order_by", &["sort", "sort_by", "sorted"]),
    ("distinct", &["dedup", "deduplicate", "unique"]),
    ("aggregate", &["agg", "reduce", "summarize", "summarise", "fold", "apply"]),
    ("process", &["flat_map", "for_each", "foreach"]),
    ("emit", &["output", "yield", "publish", "sink", "insert_into"]),
    ("allowed_lateness", &["lateness", "grace"]),
    ("print", &["println", "show", "debug"]),
    ("tap", &["peek", "inspect", "metric"]),
    ("window", &["time_window", "tumbling", "tumble", "hop", "sliding_window"]),
    ("where", &["when", "having_where", "keep", "if"]),
];

/// Functions and aggregates.
pub const FUNCTIONS: &[(&str, &[&str])] = &[
    ("len", &["length", "size", "strlen", "char_length"]),
    ("substr", &["substring", "mid"]),
    ("upper", &["to_upper_case", "to_upper", "uppercase", "ucase"]),
    ("lower", &["to_lower_case", "to_lower", "lowercase", "lcase"]),
    ("trim", &["strip"]),
    ("replace", &["replace_all", "gsub"]),
    ("avg", &["average", "mean"]),
    ("stddev", &["std", "stdev", "stddev_samp"]),
    ("variance", &["var", "var_samp"]),
    ("median", &["med"]),
    ("now", &["current_time", "current_timestamp", "get_date", "sysdate", "utcnow"]),
    ("coalesce", &["if_null", "nvl", "is_null"]),
    ("ceil", &["ceiling"]),
    ("pow", &["power"]),
    ("str", &["to_string", "string", "text", "to_str", "to_char"]),
    ("int", &["to_int", "parse_int", "to_integer", "integer"]),
    ("float", &["to_float", "parse_float", "to_double", "double", "to_number"]),
    ("timestamp", &["to_timestamp", "to_date", "datetime"]),
    ("regex_match", &["matches", "regexp", "regexp_like", "rlike"]),
    ("regex_extract", &["regexp_extract", "regexp_substr"]),
    ("count_distinct", &["nunique", "distinct_count", "count_unique"]),
    ("collect", &["array_agg", "collect_list", "list_agg"]),
    ("collect_distinct", &["collect_set"]),
    ("arg_max", &["max_by", "argmax"]),
    ("arg_min", &["min_by", "argmin"]),
    ("lag", &["prev", "previous"]),
    ("truncate", &["date_trunc", "time_bucket"]),
    ("starts_with", &["has_prefix", "starts"]),
    ("ends_with", &["has_suffix"]),
];

/// Words for values.
pub const VALUES: &[(&str, &[&str])] = &[("null", &["none", "null", "nil", "undefined", "na"]), ("true", &["true", "yes"]), ("false", &["false", "no"])];

/// Named arguments.
pub const ARGUMENTS: &[(&str, &[&str])] = &[
    ("sliding", &["slide", "hop", "advance", "every", "step", "slide_by"]),
    ("session", &["gap", "inactivity", "timeout"]),
    ("within", &["for", "ttl", "expire", "timeout", "window"]),
    ("out_of_order", &["delay", "lateness", "max_delay", "bounded", "max_out_of_orderness"]),
    ("by", &["order_by", "on", "key"]),
    ("idle", &["idleness", "idle_timeout"]),
];

/// What is called that elsewhere, of one of the tables: case and `_` do not count.
pub fn ours(word: &str, table: &[(&'static str, &[&str])]) -> Option<&'static str> {
    let plain = |word: &str| word.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect::<String>();
    let word = plain(word);
    table.iter().find(|(_, theirs)| theirs.iter().any(|their| plain(their) == word)).map(|(ours, _)| *ours)
}
