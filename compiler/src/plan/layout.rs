//! Where the boxes of a layered graph go: layers from top to bottom, few crossings, no overlaps. An arrow that skips layers gets a lane through
//! each of them, so that it does not run behind boxes.

/// A box's size, or a place.
pub(super) type Pair = (i64, i64);

/// Between boxes of a layer.
const GAP: i64 = 20;
/// Between layers.
const RISE: i64 = 44;
/// Around everything.
const MARGIN: i64 = 10;

/// A drawn graph.
pub(super) struct Layout {
    /// The left upper corners of the boxes.
    pub(super) corners: Vec<Pair>,
    /// The points that each arrow goes through, two in each layer: where it enters and where it leaves. The first has the latter only, the last
    /// the former.
    pub(super) arrows: Vec<Vec<Pair>>,
    /// The whole picture.
    pub(super) size: Pair,
}

/// A box, or a lane of an arrow.
struct Item {
    layer: usize,
    size: Pair,
    above: Vec<usize>,
    below: Vec<usize>,
    centre: i64,
}

/// Lays out boxes of these sizes; an arrow's box comes before the one it points to.
pub(super) fn layout(sizes: &[Pair], arrows: &[(usize, usize)]) -> Layout {
    let mut items: Vec<Item> =
        layers(sizes.len(), arrows).into_iter().zip(sizes).map(|(layer, size)| Item { layer, size: *size, above: vec![], below: vec![], centre: 0 }).collect();
    let routes: Vec<Vec<usize>> = arrows.iter().map(|(from, to)| route(&mut items, *from, *to)).collect();
    let mut rows: Vec<Vec<usize>> = vec![vec![]; items.iter().map(|i| i.layer + 1).max().unwrap_or(0)];
    for (i, item) in items.iter().enumerate() {
        if let Some(row) = rows.get_mut(item.layer) {
            row.push(i);
        }
    }
    arrange(&mut items, &mut rows);
    place(&items, &rows, &routes, sizes.len())
}

/// The layer of each box: below all that point to it.
fn layers(boxes: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; boxes];
    let mut sorted = arrows.to_vec();
    // Boxes come before what they point to, so that one pass settles them.
    sorted.sort_unstable_by_key(|(_, to)| *to);
    for (from, to) in sorted {
        let least = layers.get(from).map_or(0, |l| l + 1);
        if let Some(layer) = layers.get_mut(to) {
            *layer = least.max(*layer);
        }
    }
    layers
}

/// Makes lanes for an arrow; all that it goes through, from box to box.
fn route(items: &mut Vec<Item>, from: usize, to: usize) -> Vec<usize> {
    let layer = |items: &[Item], i: usize| items.get(i).map_or(0, |i| i.layer);
    let mut route = vec![from];
    for layer in layer(items, from) + 1..layer(items, to) {
        route.push(items.len());
        items.push(Item { layer, size: (0, 0), above: vec![], below: vec![], centre: 0 });
    }
    route.push(to);
    for (a, b) in route.iter().zip(route.iter().skip(1)) {
        if let Some(item) = items.get_mut(*a) {
            item.below.push(*b);
        }
        if let Some(item) = items.get_mut(*b) {
            item.above.push(*a);
        }
    }
    route
}

/// Orders the rows by what stands above and below, then moves everything as near to its neighbours as the order lets it.
fn arrange(items: &mut [Item], rows: &mut [Vec<usize>]) {
    for row in rows.iter() {
        spread(items, row, |_, _| None);
    }
    for _ in 0..4 {
        for row in rows.iter_mut() {
            row.sort_by_key(|i| mean(items, *i, true).unwrap_or_else(|| centre(items, *i)));
            spread(items, row, |items, i| mean(items, i, true));
        }
        for row in rows.iter_mut().rev() {
            row.sort_by_key(|i| mean(items, *i, false).unwrap_or_else(|| centre(items, *i)));
            spread(items, row, |items, i| mean(items, i, false));
        }
    }
    // The order stands; what follows only straightens.
    for row in rows.iter() {
        spread(items, row, |items, i| mean(items, i, true));
    }
}

fn centre(items: &[Item], i: usize) -> i64 {
    items.get(i).map_or(0, |i| i.centre)
}

fn mean(items: &[Item], i: usize, above: bool) -> Option<i64> {
    let item = items.get(i)?;
    let near = if above { &item.above } else { &item.below };
    let sum: i64 = near.iter().map(|n| centre(items, *n)).sum();
    sum.checked_div(i64::try_from(near.len()).ok()?)
}

/// Puts a row's items where they want to be, or as near as may be without overlap: neighbours that would overlap form a group, and a group stands at
/// the mean of what its members want.
fn spread(items: &mut [Item], row: &[usize], wish: impl Fn(&[Item], usize) -> Option<i64>) {
    // A group: its members, and where its first member's centre would be if it had its way.
    let mut groups: Vec<(Vec<usize>, i64)> = vec![];
    let mut offsets = vec![0; row.len()];
    let (mut offset, mut last_width) = (0, None);
    for (n, i) in row.iter().enumerate() {
        let width = items.get(*i).map_or(0, |i| i.size.0);
        offset += last_width.map_or(0, |l: i64| (l + width) / 2 + GAP);
        last_width = Some(width);
        if let Some(o) = offsets.get_mut(n) {
            *o = offset;
        }
        let mut group = (vec![n], wish(items, *i).unwrap_or_else(|| centre(items, *i)) - offset);
        while let Some(before) = groups.pop_if(|before| before.1 >= group.1) {
            let (a, b) = (before.0.len() as i64, group.0.len() as i64);
            group.1 = (before.1 * a + group.1 * b).div_euclid(a + b);
            group.0.splice(0..0, before.0);
        }
        groups.push(group);
    }
    for (members, first) in groups {
        for n in members {
            let (Some(i), Some(offset)) = (row.get(n), offsets.get(n)) else { continue };
            if let Some(item) = items.get_mut(*i) {
                item.centre = first + offset;
            }
        }
    }
}

/// Heights of rows, and what follows from them.
fn place(items: &[Item], rows: &[Vec<usize>], routes: &[Vec<usize>], boxes: usize) -> Layout {
    let left = items.iter().map(|i| i.centre - i.size.0 / 2).min().unwrap_or(0) - MARGIN;
    let right = items.iter().map(|i| i.centre + (i.size.0 + 1) / 2).max().unwrap_or(0) + MARGIN;
    let mut tops = vec![];
    let mut y = MARGIN;
    for row in rows {
        let height = row.iter().filter_map(|i| items.get(*i)).map(|i| i.size.1).max().unwrap_or(0);
        tops.push((y, height));
        y += height + RISE;
    }
    let row = |item: &Item| tops.get(item.layer).copied().unwrap_or((0, 0));
    let corners = items.iter().take(boxes).map(|i| (i.centre - i.size.0 / 2 - left, row(i).0)).collect();
    let arrows = routes
        .iter()
        .map(|route| {
            let mut points: Vec<Pair> = route
                .iter()
                .filter_map(|i| Some((*i, items.get(*i)?)))
                .flat_map(|(i, item)| {
                    let (top, tallest) = row(item);
                    let height = if i < boxes { item.size.1 } else { tallest };
                    [(item.centre - left, top), (item.centre - left, top + height)]
                })
                .collect();
            // The arrow begins at the first box's lower edge and ends at the last one's upper.
            points.pop();
            points.into_iter().skip(1).collect()
        })
        .collect();
    Layout { corners, arrows, size: (right - left, (y - RISE).max(0) + MARGIN) }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// Boxes do not overlap, arrows lead down, and none runs through a box.
    #[test]
    fn nothing_overlaps() {
        let sizes: Vec<Pair> = (0..40).map(|i| (30 + i * 37 % 200, 30 + i * 13 % 50)).collect();
        let arrows: Vec<(usize, usize)> = (1..40).flat_map(|i| [(i * 7 % i, i), (i / 2, i), (i - 1 - i * 5 % i.min(9), i)]).collect();
        let layout = layout(&sizes, &arrows);
        let inside = |x: i64, y: i64, n: usize| {
            let ((left, top), (width, height)) = (layout.corners[n], sizes[n]);
            x > left && x < left + width && y > top && y < top + height
        };
        for (i, (x, y)) in layout.corners.iter().enumerate() {
            assert!(*x >= MARGIN && x + sizes[i].0 <= layout.size.0 && y + sizes[i].1 <= layout.size.1);
            for j in 0..i {
                let ((a, b), (w, h)) = (layout.corners[j], sizes[j]);
                assert!(*y >= b + h || y + sizes[i].1 <= b || x + sizes[i].0 <= a || a + w <= *x, "{i} lies on {j}");
            }
        }
        for points in &layout.arrows {
            assert!(points.windows(2).all(|p| p[0].1 <= p[1].1));
            for p in points {
                assert!((0..sizes.len()).all(|n| !inside(p.0, p.1, n)));
            }
        }
    }
}
