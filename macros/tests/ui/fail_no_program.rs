varpulis::varpulis! { mod program; }

fn main() {}
