//! The logical plan as a picture: mermaid text, or SVG drawn in layers.

use std::fmt::Write;

use super::layout::{Pair, layout};
use super::logical::{NodeId, Plan};

/// What is drawn: boxes and arrows between them, each from an earlier box to a later one.
struct Graph {
    labels: Vec<String>,
    arrows: Vec<(usize, usize)>,
}

fn graph(plan: &Plan) -> Graph {
    let mut labels: Vec<String> = (0..plan.nodes.len()).map(|i| plan.describe(NodeId(i))).collect();
    let mut arrows: Vec<(usize, usize)> = (0..plan.nodes.len()).flat_map(|i| plan.node(NodeId(i)).kind.inputs().into_iter().map(move |n| (n.0, i))).collect();
    for p in &plan.publications {
        arrows.push((p.node.0, labels.len()));
        labels.push(format!("publish {}", p.name));
    }
    Graph { labels, arrows }
}

/// A mermaid flow chart.
pub fn mermaid(plan: &Plan) -> String {
    let g = graph(plan);
    let mut out = String::from("flowchart TD\n");
    for (i, label) in g.labels.iter().enumerate() {
        let _ = writeln!(out, "    n{i}[\"{}\"]", quoted(label));
    }
    for (from, to) in &g.arrows {
        let _ = writeln!(out, "    n{from} --> n{to}");
    }
    out
}

/// Characters in a line of a box.
const WRAP: usize = 44;
/// The height of a line, and what a character takes of it.
const LINE: i64 = 16;
const CHARACTER: i64 = 8;

/// An SVG picture.
pub fn svg(plan: &Plan) -> String {
    let g = graph(plan);
    let boxes: Vec<Vec<String>> = g.labels.iter().map(|l| wrap(l)).collect();
    let sizes: Vec<Pair> = boxes.iter().map(|lines| size(lines)).collect();
    let layout = layout(&sizes, &g.arrows);
    let (width, height) = layout.size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\" xml:space=\"preserve\">\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for points in &layout.arrows {
        let _ = writeln!(out, "<path d=\"{}\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#a)\"/>", curve(points));
    }
    for ((lines, (width, height)), (x, y)) in boxes.iter().zip(&sizes).zip(&layout.corners) {
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"#eef4fb\" stroke=\"#345\"/>");
        let mut y = y + 4;
        for line in lines {
            y += LINE;
            let _ = writeln!(out, "<text x=\"{}\" y=\"{y}\">{}</text>", x + 10, xml(line));
        }
    }
    out.push_str("</svg>\n");
    out
}

fn size(lines: &[String]) -> Pair {
    let columns = lines.iter().map(|l| columns(l)).max().unwrap_or(1);
    (i64::try_from(columns).unwrap_or(0) * CHARACTER + 20, i64::try_from(lines.len()).unwrap_or(0) * LINE + 14)
}

/// How wide a text is; the scripts that begin with Hangul are written in squares.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// Straight through layers, and bent between them.
fn curve(points: &[Pair]) -> String {
    let mut path = String::new();
    let mut from: Option<Pair> = None;
    for (n, (x, y)) in points.iter().enumerate() {
        let _ = match from {
            None => write!(path, "M{x} {y}"),
            Some((a, b)) if n % 2 == 1 => write!(path, "C{a} {} {x} {} {x} {y}", b + (y - b) / 2, b + (y - b) / 2),
            Some(_) => write!(path, "V{y}"),
        };
        from = Some((*x, *y));
    }
    path
}

/// Breaks a label at its blanks; one word that is too long stays whole.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if columns(last) + columns(word) < WRAP {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Text of an SVG document.
fn xml(text: &str) -> String {
    escape(text, &|c| match c {
        '&' => Some("&amp;".to_owned()),
        '<' => Some("&lt;".to_owned()),
        '>' => Some("&gt;".to_owned()),
        _ => None,
    })
}

/// Text between quotes in mermaid, whose characters may be told by number.
fn quoted(text: &str) -> String {
    escape(text, &|c| "&<>\"#`".contains(c).then(|| format!("#{};", u32::from(c))))
}

fn escape(text: &str, special: &dyn Fn(char) -> Option<String>) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match special(c) {
            Some(entity) => out.push_str(&entity),
            // XML has no form for them.
            None if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            None => out.push(c),
        }
    }
    out
}
