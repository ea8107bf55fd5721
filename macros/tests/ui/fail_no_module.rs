varpulis::varpulis! { file "program.vpl" }

fn main() {}
