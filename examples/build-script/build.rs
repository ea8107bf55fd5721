//! Compiles the VarpulisQL programs: the example's own, and one that its test takes in.

fn main() {
    varpulis::build("program.vpl");
    varpulis::build("../flights/overdue.vpl");
}
