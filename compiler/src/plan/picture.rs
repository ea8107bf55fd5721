//! The logical plan as a picture: mermaid text, or SVG drawn in layers.

use std::fmt::Write;

use super::logical::{NodeId, Plan};

/// What is drawn: boxes in layers and arrows between them.
struct Graph {
    labels: Vec<String>,
    edges: Vec<(usize, usize)>,
    layers: Vec<usize>,
}

fn graph(plan: &Plan) -> Graph {
    let mut labels: Vec<String> = (0..plan.nodes.len()).map(|i| plan.describe(NodeId(i))).collect();
    let mut edges: Vec<(usize, usize)> = (0..plan.nodes.len()).flat_map(|i| plan.node(NodeId(i)).kind.inputs().into_iter().map(move |n| (n.0, i))).collect();
    for p in &plan.publications {
        edges.push((p.node.0, labels.len()));
        labels.push(format!("publish {}", p.name));
    }
    let mut layers = vec![0usize; labels.len()];
    // Inputs come before their consumers, so that one pass settles the layers.
    for (from, to) in &edges {
        let least = layers.get(*from).map_or(0, |l| l + 1);
        if let Some(l) = layers.get_mut(*to) {
            *l = (*l).max(least);
        }
    }
    Graph { labels, edges, layers }
}

/// A mermaid flow chart.
pub fn mermaid(plan: &Plan) -> String {
    let g = graph(plan);
    let mut out = String::from("flowchart TD\n");
    for (i, label) in g.labels.iter().enumerate() {
        let _ = writeln!(out, "    n{i}[\"{}\"]", label.replace('"', "#quot;").replace('<', "&lt;"));
    }
    for (from, to) in &g.edges {
        let _ = writeln!(out, "    n{from} --> n{to}");
    }
    out
}

const WRAP: usize = 44;
const LINE: usize = 16;

/// An SVG picture.
pub fn svg(plan: &Plan) -> String {
    let g = graph(plan);
    let boxes: Vec<Vec<String>> = g.labels.iter().map(|l| wrap(l)).collect();
    let width = |lines: &[String]| lines.iter().map(|l| l.chars().count()).max().unwrap_or(1) * 8 + 20;
    let height = |lines: &[String]| lines.len() * LINE + 14;
    let mut places = vec![(0usize, 0usize); boxes.len()];
    let (mut y, mut right) = (10, 0);
    for layer in 0..=g.layers.iter().copied().max().unwrap_or(0) {
        let (mut x, mut tallest) = (10, 0);
        for (i, lines) in boxes.iter().enumerate().filter(|(i, _)| g.layers.get(*i) == Some(&layer)) {
            if let Some(p) = places.get_mut(i) {
                *p = (x, y);
            }
            x += width(lines) + 20;
            tallest = tallest.max(height(lines));
        }
        right = right.max(x);
        y += tallest + 36;
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{right}\" height=\"{y}\" font-family=\"monospace\" font-size=\"13\">\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let empty = vec![];
    for (from, to) in &g.edges {
        let ((fx, fy), (tx, ty)) = (places.get(*from).copied().unwrap_or_default(), places.get(*to).copied().unwrap_or_default());
        let (f, t) = (boxes.get(*from).unwrap_or(&empty), boxes.get(*to).unwrap_or(&empty));
        let (x1, y1, x2) = (fx + width(f) / 2, fy + height(f), tx + width(t) / 2);
        let _ = writeln!(
            out,
            "<path d=\"M{x1} {y1}C{x1} {} {x2} {} {x2} {ty}\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#a)\"/>",
            y1 + 18,
            ty.saturating_sub(18)
        );
    }
    for (lines, (x, y)) in boxes.iter().zip(&places) {
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"5\" fill=\"#eef4fb\" stroke=\"#345\"/>", width(lines), height(lines));
        for (i, line) in lines.iter().enumerate() {
            let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{}</text>", x + 10, y + 20 + i * LINE, escape(line));
        }
    }
    out.push_str("</svg>\n");
    out
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + word.chars().count() < WRAP {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
