//! The timeline of a run: one HTML file that a person can read in a browser, with nothing beside
//! it. What is drawn is data in the file; the page's script only draws.

mod build;
mod chart;

use crate::report::Report;

const PAGE: &str = include_str!("timeline/page.html");
const STYLE: &str = include_str!("timeline/page.css");
const SCRIPT: &str = concat!(include_str!("timeline/draw.js"), include_str!("timeline/page.js"));

/// The page for a run that was recorded.
pub fn html(world: &str, report: &Report) -> String {
    let chart = build::chart(world, report);
    let json = serde_json::to_string(&chart).expect("a chart is lists, numbers and words");
    // Nothing in it can end the element that it stands in. The data comes last, so that nothing in
    // it is taken for a place to be filled.
    let json = json.replace('<', "\\u003c");
    PAGE.replace("/*style*/", STYLE).replace("/*script*/", SCRIPT).replace("/*data*/", &json)
}

#[cfg(test)]
mod tests;
