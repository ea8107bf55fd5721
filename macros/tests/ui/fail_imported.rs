varpulis::varpulis! {
    mod program;

    import "nowhere.vpl" as nowhere
    stream Hot = Reading.where(value > 30.0)
}

fn main() {}
