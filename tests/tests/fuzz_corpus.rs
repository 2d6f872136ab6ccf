//! The corpora of the fuzz targets, replayed by the code that the fuzzer runs: what it once found does not
//! come back, and no fuzzer is needed to see that.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::fs::read;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

#[test]
fn every_input_of_every_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, run) in fuzz::TARGETS {
        let mut inputs = 0;
        for entry in corpus.join(target).read_dir().unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            run(&read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 5, "{target}: only {inputs} inputs");
    }
}
