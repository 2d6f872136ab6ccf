//! Bars to SVG.
//!
//! Every colour is one of the constants here, and the style of the page puts others in their place where the
//! page is dark or on paper: a rule of CSS outranks a `fill` that stands in the drawing.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What cannot be drawn. Drawing into memory, nothing is known to cause it.
pub(super) type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// One bar, in parts that stand one after the other.
pub(super) struct Bar {
    /// What it is of.
    pub(super) label: String,
    /// How many, one number for each part.
    pub(super) parts: Vec<usize>,
}

impl Bar {
    /// What stands after it: each part that there is.
    fn numbers(&self) -> String {
        let parts: Vec<String> =
            self.parts.iter().filter(|part| **part > 0).map(ToString::to_string).collect();
        if parts.is_empty() { "0".into() } else { parts.join(" + ") }
    }
}

/// Of text and of the line that bars stand on.
const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
/// Of the first and the second part of a bar.
pub(super) const PARTS: [RGBColor; 2] = [RGBColor(0x0b, 0x57, 0xa4), RGBColor(0xb8, 0xc4, 0xd0)];

/// Units of the drawing, which are pixels where it is shown as wide as it is.
const WIDTH: u32 = 360;
const ROW: u32 = 22;
const FONT: u32 = 12;
/// Of a character at [`FONT`], on average in fonts without serifs.
const CHARACTER: usize = 7;
const LONGEST_LABEL: usize = 22;
/// Room for numbers beside the longest bar.
const MARGIN: u32 = 60;

/// Bars from top to bottom, each with its label before it and its numbers after it.
pub(super) fn bars(bars: &[Bar]) -> Result<String, DrawError> {
    let mut svg = String::new();
    let count = bars.len().max(1);
    let height = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(ROW);
    draw(bars, count, SVGBackend::with_string(&mut svg, (WIDTH, height)))?;
    // the frame scales it; without these it is as wide as its frame
    Ok(svg.replacen(&format!("width=\"{WIDTH}\" height=\"{height}\" "), "", 1))
}

fn draw(bars: &[Bar], count: usize, svg: SVGBackend<'_>) -> Result<(), DrawError> {
    let area = svg.into_drawing_area();
    let labels = bars.iter().map(|bar| shortened(&bar.label).chars().count()).max().unwrap_or(0);
    let longest = bars.iter().map(|bar| bar.parts.iter().sum()).max().unwrap_or(0).max(1);
    let text = |anchor| TextStyle::from(("sans-serif", FONT)).color(&INK).pos(Pos::new(anchor, VPos::Center));
    let mut chart = ChartBuilder::on(&area)
        .set_label_area_size(LabelAreaPosition::Left, u32::try_from(labels * CHARACTER + 8).unwrap_or(WIDTH))
        .margin_right(MARGIN)
        .build_cartesian_2d(0..longest, (0..count - 1).into_segmented())?;
    // the axis counts upwards
    let from_top = |row: usize| bars.iter().rev().nth(row);
    chart
        .configure_mesh()
        .disable_mesh()
        .disable_x_axis()
        .axis_style(INK)
        .y_labels(count + 1)
        .y_label_style(text(HPos::Right))
        .y_label_formatter(&|row| match row {
            SegmentValue::CenterOf(row) => {
                from_top(*row).map(|bar| shortened(&bar.label)).unwrap_or_default()
            }
            _ => String::new(),
        })
        .draw()?;
    for row in 0..count {
        let Some(bar) = from_top(row) else { continue };
        let mut end = 0;
        for (part, color) in bar.parts.iter().zip(PARTS) {
            let corners = [(end, SegmentValue::Exact(row)), (end + part, SegmentValue::Exact(row + 1))];
            let mut rectangle = Rectangle::new(corners, color.filled());
            rectangle.set_margin(4, 4, 0, 0);
            if *part > 0 {
                chart.draw_series([rectangle])?;
            }
            end += part;
        }
        let after = (end, SegmentValue::CenterOf(row));
        let numbers = EmptyElement::at(after) + Text::new(bar.numbers(), (5, 0), text(HPos::Left));
        chart.draw_series([numbers])?;
    }
    area.present()
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LONGEST_LABEL {
        return label.to_owned();
    }
    label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, parts: &[usize]) -> Bar {
        Bar { label: label.into(), parts: parts.into() }
    }

    /// Length of every bar of this colour, from top to bottom.
    fn lengths(svg: &str, color: RGBColor) -> Vec<u32> {
        let RGBColor(r, g, b) = color;
        let fill = format!("fill=\"#{r:02X}{g:02X}{b:02X}\"");
        let rectangles = svg.split("<rect ").skip(1).filter(|rectangle| rectangle.contains(&fill));
        let length = |rectangle: &str| {
            rectangle.split_once("width=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
        };
        let mut lengths: Vec<u32> = rectangles.map(length).collect();
        lengths.reverse();
        lengths
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let svg = bars(&[bar("a", &[30, 10]), bar("b", &[20, 0]), bar("c", &[0, 0])]).unwrap();
        let (first, second) = (lengths(&svg, PARTS[0]), lengths(&svg, PARTS[1]));
        assert_eq!((first.len(), second.len()), (2, 1), "{svg}");
        assert!(first[0].abs_diff(second[0] * 3) <= 3 && first[1].abs_diff(second[0] * 2) <= 3, "{svg}");
        for numbers in ["30 + 10", "20", "0"] {
            assert!(svg.contains(&format!("\n{numbers}\n")), "{svg}");
        }
        assert!(svg.contains("viewBox=\"0 0 360 66\"") && !svg.contains("<svg width"), "{svg}");
    }

    #[test]
    fn labels_are_text_and_have_an_end() {
        let svg = bars(&[bar("<script>&", &[1]), bar(&"x".repeat(40), &[1])]).unwrap();
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script"), "{svg}");
        assert!(svg.contains(&format!("\n{}…\n", "x".repeat(21))), "{svg}");
        assert!(bars(&[]).unwrap().contains("<svg"));
    }
}
