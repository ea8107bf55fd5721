//! Failing programs and inputs, made smaller.

use super::Program;

/// Leaves out streams, operators and lines as long as the pair differs; `differs` says so, and nothing of a program that is refused.
pub fn reduce(mut p: Program, lines: &str, differs: &dyn Fn(&Program, &[&str]) -> Option<bool>) -> (Program, String) {
    let mut lines: Vec<&str> = lines.lines().collect();
    let mut smaller = true;
    while std::mem::take(&mut smaller) {
        for at in (0..p.streams.len()).rev() {
            let mut without = p.clone();
            without.streams.remove(at);
            if differs(&without, &lines) == Some(true) {
                (p, smaller) = (without, true);
            }
        }
        for stream in 0..p.streams.len() {
            for at in (0..p.streams.get(stream).map_or(0, |s| s.operators.len())).rev() {
                let mut without = p.clone();
                if let Some(stream) = without.streams.get_mut(stream) {
                    stream.operators.remove(at);
                }
                if differs(&without, &lines) == Some(true) {
                    (p, smaller) = (without, true);
                }
            }
        }
        let mut chunk = lines.len() / 2;
        while chunk > 0 {
            let mut at = 0;
            while at < lines.len() {
                let mut without = lines.clone();
                without.drain(at..(at + chunk).min(lines.len()));
                if differs(&p, &without) == Some(true) {
                    (lines, smaller) = (without, true);
                } else {
                    at += chunk;
                }
            }
            chunk /= 2;
        }
    }
    let text = lines.iter().map(|line| format!("{line}\n")).collect();
    (p, text)
}
