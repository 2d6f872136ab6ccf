//! Stamps the build time: the program's clock is never believed to be before it.

fn main() {
    // SOURCE_DATE_EPOCH keeps a build reproducible (reproducible-builds.org specification)
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=src");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    #[expect(clippy::disallowed_methods, reason = "the build has no run whose start could be passed in")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    println!("cargo::rustc-env=COURIER_BUILD_SECOND={}", given.unwrap_or(now));
}
