//! Charts: shapes in SVG, drawn here and coloured by the style sheet. They carry no text, so that they can be stretched to any width;
//! the numbers at their edges are part of the page around them, and each chart has its numbers in a table as well.

use super::parts;
use maud::{Markup, PreEscaped, html};
use restock_bindings::insight::{Level, Minute};
use svg::node::element::path::Data;
use svg::node::element::{Path, Rectangle, SVG, Title};

/// The size of a drawing, in units of its own: it is stretched to the place it has.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 100.0;
/// The share of its place that a bar takes.
const BAR_SHARE: f64 = 0.78;
/// Steps of a scale: each has a whole half.
const STEPS: [u64; 4] = [2, 4, 6, 10];
/// A minute, ms.
const MINUTE_MS: u64 = 60_000;

/// The top of a scale for these values: a round number whose half is whole.
fn top(max: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        if let Some(top) = STEPS.iter().map(|step| step.saturating_mul(power)).find(|top| *top >= max) {
            return top;
        }
        power = power.saturating_mul(10);
    }
}

// Numbers of units and orders are far below 2^52, where the next whole number has no float.
fn share(value: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { value as f64 / of as f64 }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// An empty drawing with lines at the top, the middle and the bottom of its scale.
fn canvas() -> SVG {
    let drawing = SVG::new()
        .set("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .set("preserveAspectRatio", "none")
        .set("aria-hidden", "true")
        .set("focusable", "false");
    [0.0, HEIGHT / 2.0, HEIGHT].into_iter().fold(drawing, |drawing, y| drawing.add(rule("grid", y)))
}

fn rule(class: &str, y: f64) -> Path {
    Path::new().set("class", class).set("d", Data::new().move_to((0, rounded(y))).horizontal_line_to(WIDTH))
}

/// A drawing with the numbers at its edges.
fn framed(drawing: SVG, top: u64, bottom: &[Markup]) -> Markup {
    html! {
        div class="chart" {
            div class="y" aria-hidden="true" { (parts::number(top)) (parts::number(top / 2)) (parts::number(0)) }
            (PreEscaped(drawing.to_string()))
            div class="x" aria-hidden="true" { @for label in bottom { span { (label) } } }
        }
    }
}

/// The classes of the kinds of answers to orders, from the lowest in a bar to the highest.
pub(super) const KINDS: [&str; 3] = ["accepted", "backordered", "rejected"];

/// Orders by minute as bars, one for each of the last minutes, the present one included. A bar tells its minute, its kind by its name
/// in `names`, and its number on pointing.
pub(super) fn orders(
    minutes: &[Minute],
    now_ms: u64,
    count: u64,
    names: [&str; KINDS.len()],
    ago: impl Fn(u64) -> String,
) -> Markup {
    let present = now_ms / MINUTE_MS;
    let first = present.saturating_sub(count.saturating_sub(1));
    let total = |minute: &Minute| minute.accepted + minute.backordered + minute.rejected;
    let shown = || minutes.iter().filter(|minute| minute.begins_at / MINUTE_MS >= first);
    let top = top(shown().map(total).max().unwrap_or_default());
    let place = WIDTH / count.max(1) as f64;
    let mut drawing = canvas();
    for minute in shown() {
        let at = minute.begins_at / MINUTE_MS;
        let x = (at - first) as f64 * place + place * (1.0 - BAR_SHARE) / 2.0;
        let mut below = 0;
        let exact = parts::exact(minute.begins_at);
        let when = format!("{exact} ({})", ago(present.saturating_sub(at)));
        let orders = [minute.accepted, minute.backordered, minute.rejected];
        for ((class, name), orders) in
            KINDS.into_iter().zip(names).zip(orders).filter(|(_, orders)| *orders > 0)
        {
            let height = share(orders, top) * HEIGHT;
            let y = HEIGHT - share(below, top) * HEIGHT - height;
            below += orders;
            let bar = Rectangle::new()
                .set("class", class)
                .set("x", rounded(x))
                .set("y", rounded(y))
                .set("width", rounded(place * BAR_SHARE))
                .set("height", rounded(height))
                .add(Title::new(format!("{when}\n{name}: {orders}")));
            drawing = drawing.add(bar);
        }
    }
    let label = |minute: u64| clock(minute * MINUTE_MS);
    framed(drawing, top, &[label(first), label(first + count / 2), label(present)])
}

/// How the stock of a product went: a line with steps, and the reorder point across it.
pub(super) fn stock(levels: &[Level], reorder_point: i64, since_ms: u64, now_ms: u64) -> Markup {
    let units = |units: i64| u64::try_from(units).unwrap_or_default();
    let highest = levels.iter().map(|level| units(level.on_hand)).max().unwrap_or_default();
    let top = top(highest.max(units(reorder_point)).max(1));
    let x = |at: u64| rounded(share(at.clamp(since_ms, now_ms) - since_ms, now_ms - since_ms) * WIDTH);
    let y = |on_hand: i64| rounded(HEIGHT - share(units(on_hand), top) * HEIGHT);
    let mut drawing = canvas();
    if let Some(first) = levels.first() {
        let begin = x(first.at);
        let mut line = Data::new().move_to((begin, y(first.on_hand)));
        for level in levels.iter().skip(1) {
            line = line.horizontal_line_to(x(level.at)).vertical_line_to(y(level.on_hand));
        }
        line = line.horizontal_line_to(WIDTH);
        let area = line.clone().vertical_line_to(HEIGHT).horizontal_line_to(begin).close();
        drawing = drawing.add(Path::new().set("class", "area").set("d", area));
        drawing = drawing.add(Path::new().set("class", "line").set("d", line));
    }
    drawing = drawing.add(rule("mark-line", y(reorder_point)));
    let middle = since_ms + (now_ms - since_ms) / 2;
    let label = if now_ms - since_ms > 24 * 60 * MINUTE_MS { brief } else { clock };
    framed(drawing, top, &[label(since_ms), label(middle), label(now_ms)])
}

/// How full a shelf is: what is on hand of the order-up-to level, with the reorder point on it.
pub(super) fn shelf(on_hand: i64, reorder_point: i64, order_up_to: i64) -> Markup {
    let units = |units: i64| u64::try_from(units).unwrap_or_default();
    let full = units(order_up_to).max(units(on_hand)).max(units(reorder_point)).max(1);
    let class = if on_hand <= reorder_point { "low" } else { "hand" };
    let part = |class: &str, x: f64, width: f64| {
        Rectangle::new()
            .set("class", class)
            .set("x", rounded(x))
            .set("y", 0)
            .set("width", rounded(width))
            .set("height", 8)
    };
    let drawing = SVG::new()
        .set("class", "level")
        .set("viewBox", "0 0 100 8")
        .set("preserveAspectRatio", "none")
        .set("aria-hidden", "true")
        .set("focusable", "false")
        .add(part("ground", 0.0, 100.0))
        .add(part(class, 0.0, share(units(on_hand), full) * 100.0))
        .add(part("point", share(units(reorder_point), full) * 99.0, 1.0));
    PreEscaped(drawing.to_string())
}

/// A square in the colour of a kind of bars, for a legend.
pub(super) fn swatch(class: &str) -> Markup {
    let square = Rectangle::new().set("class", class).set("width", 12).set("height", 12).set("rx", 2);
    let drawing = SVG::new()
        .set("viewBox", "0 0 12 12")
        .set("aria-hidden", "true")
        .set("focusable", "false")
        .add(square);
    PreEscaped(drawing.to_string())
}

fn clock(ms: u64) -> Markup {
    let exact = parts::exact(ms);
    let text = exact.get(11..16).unwrap_or_default();
    html! { time datetime=(exact) data-as="clock" { (text) } }
}

fn brief(ms: u64) -> Markup {
    let exact = parts::exact(ms);
    let text = exact.get(5..16).unwrap_or_default().replace('T', " ");
    html! { time datetime=(exact) data-as="brief" { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(drawing: &str) -> Vec<f64> {
        let cut = |character: char| !character.is_ascii_digit() && !matches!(character, '.' | '-');
        let shapes: Vec<_> =
            drawing.split('<').filter(|tag| tag.starts_with("rect") || tag.starts_with("path")).collect();
        shapes
            .iter()
            .flat_map(|tag| tag.split('"').skip(1).step_by(2))
            .flat_map(|text| text.split(cut))
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    #[test]
    fn a_scale_ends_at_a_round_number_that_has_a_whole_half() {
        for (max, expected) in [
            (0, 2),
            (1, 2),
            (2, 2),
            (3, 4),
            (5, 6),
            (7, 10),
            (11, 20),
            (41, 60),
            (999, 1_000),
            (1_001, 2_000),
        ] {
            assert_eq!(top(max), expected, "{max}");
        }
        assert_eq!(top(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_minute_has_a_bar_for_each_kind_of_answer_stacked() {
        let minute = Minute { begins_at: 59 * MINUTE_MS, accepted: 3, backordered: 0, rejected: 1 };
        let old = Minute { begins_at: 0, accepted: 99, backordered: 0, rejected: 0 };
        let drawing =
            orders(&[old, minute], 60 * MINUTE_MS + 5, 60, ["taken", "waits", "refused"], |minutes| {
                format!("{minutes} ago")
            })
            .into_string();
        assert_eq!(drawing.matches("<rect").count(), 2, "{drawing}");
        for told in ["1970-01-01T00:59:00.000Z (1 ago)", "taken: 3", "refused: 1"] {
            assert!(drawing.contains(told), "{told}: {drawing}");
        }
        assert!(drawing.contains(r#"height="75""#) && drawing.contains(r#"height="25""#));
    }

    proptest! {
        #[test]
        fn whatever_the_stock_was_it_is_drawn_inside_the_frame(
            since in 0u64..1 << 41, length in 1u64..1 << 30, point in -5i64..1 << 40,
            levels in prop::collection::vec((0u64..1 << 31, -3i64..1 << 40), 0..40),
        ) {
            let now = since + length;
            let mut levels: Vec<_> = levels.into_iter().map(|(after, on_hand)| Level { at: since + after, on_hand }).collect();
            levels.sort_by_key(|level| level.at);
            let drawing = stock(&levels, point, since, now).into_string();
            for number in numbers(&drawing) {
                prop_assert!((0.0..=WIDTH).contains(&number), "{} in {}", number, drawing);
            }
        }

        #[test]
        fn whatever_is_on_the_shelf_it_is_drawn_inside_it(on_hand: i64, point: i64, up_to: i64) {
            for number in numbers(&shelf(on_hand, point, up_to).into_string()) {
                prop_assert!((0.0..=100.0).contains(&number));
            }
        }
    }
}
