//! Proof that the core links no std.
//!
//! A crate that defines the panic handler cannot be compiled together with std, which brings its
//! own: rustc answers E0152 and names the crate that pulled std in. So `cargo check -p
//! no-std-check` passes exactly while the core and all it depends on are `no_std`. Run it with
//! `-p`, never with `--workspace`, where the features of other packages would be unified in.
#![no_std]

use quorate_core as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
