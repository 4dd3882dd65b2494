#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_bodies::backup::run(input));
