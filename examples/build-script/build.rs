//! Compiles the VarpulisQL program.

fn main() {
    varpulis::build("program.vpl");
}
