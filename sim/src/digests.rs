//! Digests of a few runs, kept in a file: whoever runs the same source must get the same ones,
//! whatever the build, the process and the machine.

use crate::worlds::World;

/// The seeds whose digests are kept, for each world.
const SEEDS: std::ops::Range<u64> = 0..8;

/// Runs the seeds in all worlds, and gives the text of the file.
pub fn text() -> String {
    let mut text = "# World, seed, digest. They change only together with what a seed means;\n\
                    # `sim digests --write FILE` writes them anew.\n"
        .to_owned();
    for world in World::ALL {
        for seed in SEEDS {
            let report = world.run(&world.scenario(seed), false);
            text.push_str(&format!("{world} {seed} {:016x}\n", report.digest));
        }
    }
    text
}

/// Runs what the text of a file names, and gives the number of runs.
///
/// # Errors
/// What is wrong with the text, or the first run that gave another digest.
pub fn check(text: &str) -> Result<usize, String> {
    let mut runs = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [world, seed, digest] = words[..] else {
            return Err(format!("{line:?} is no world, seed and digest"));
        };
        let seed: u64 = seed.parse().map_err(|_| format!("{seed:?} is no seed"))?;
        let here = World::parse(world)?;
        let report = here.run(&here.scenario(seed), false);
        let got = format!("{:016x}", report.digest);
        if got != digest {
            return Err(format!("{world} {seed} gives {got} and not {digest}"));
        }
        runs += 1;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn another_digest_and_lines_that_are_none_are_told() {
        assert_eq!(check("# nothing\n"), Ok(0));
        let words = check("lockstep 3 0000000000000000").expect_err("another digest");
        assert!(words.starts_with("lockstep 3 gives "), "{words}");
        let digest = words.split(' ').nth(3).expect("the digest that it gives");
        assert_eq!(check(&format!("# nothing\nlockstep 3 {digest}\n")), Ok(1));
        for line in ["lockstep 3", "lockstep x 00", "nowhere 3 00"] {
            assert!(check(line).is_err(), "{line}");
        }
    }
}
