varpulis::varpulis! { mod program; file "no/such/file.vpl" }

fn main() {}
